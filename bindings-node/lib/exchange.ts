/** CSV files: paths, bytes and streams. */

import type { Writable } from 'node:stream';

import type { CallOptions } from './calls';
import type { Dispatcher } from './native';
import type { RowReport } from './records';

/** Where a CSV file comes from: a path, its bytes, or a stream of bytes or text. */
export type CsvSource =
  string | Uint8Array | AsyncIterable<Uint8Array | string> | Iterable<Uint8Array | string>;

/** Where a CSV file goes: a path, or a stream, which is not ended. */
export type CsvDestination = string | Writable | WritableStream<Uint8Array>;

/** How a CSV file is imported. */
export interface ImportOptions extends CallOptions {
  /** Whether nothing is written: the report says what would be. */
  readonly dryRun?: boolean | null | undefined;
  /** What separates the cells of a row, one ASCII character: by default a comma. */
  readonly delimiter?: string | null | undefined;
  /** Is told every row in turn; if it throws, the import ends, and its error is thrown. */
  readonly each?: ((row: RowReport) => void | Promise<void>) | undefined;
}

/** The functions of a stream, and the first error that one of them has thrown. */
export class Streaming {
  #thrown: { readonly error: unknown } | undefined;

  constructor(
    private readonly functions: Record<string, (given: never) => unknown>,
    private readonly signal: AbortSignal | undefined,
  ) {}

  readonly dispatcher: Dispatcher = async (_call, _object, method, args) => {
    try {
      this.signal?.throwIfAborted();
      return await this.functions[method]?.(args[0] as never);
    } catch (error) {
      this.#thrown ??= { error };
      throw error;
    }
  };

  /** The result of a call; what the host's own functions have thrown comes first. */
  async result<T>(call: Promise<T>): Promise<T> {
    try {
      return await call;
    } catch (error) {
      throw this.#thrown === undefined ? error : this.#thrown.error;
    }
  }
}

const encoder = new TextEncoder();

/** Reads a source chunk by chunk; null at its end. */
export function reader(source: Exclude<CsvSource, string>): () => Promise<Uint8Array | null> {
  const chunks = iterator(source);
  return async () => {
    for (;;) {
      const next: IteratorResult<unknown, unknown> = await chunks.next();
      if (next.done === true) return null;
      const { value } = next;
      const bytes = typeof value === 'string' ? encoder.encode(value) : value;
      if (!(bytes instanceof Uint8Array)) {
        throw new TypeError('source: expected a stream of bytes or text');
      }
      if (bytes.length > 0) return bytes;
    }
  };
}

function iterator(source: Exclude<CsvSource, string>): AsyncIterator<unknown> | Iterator<unknown> {
  if (source instanceof Uint8Array) return [source][Symbol.iterator]();
  if (typeof source === 'object' && Symbol.asyncIterator in source) {
    return source[Symbol.asyncIterator]();
  }
  if (typeof source === 'object' && Symbol.iterator in source) return source[Symbol.iterator]();
  throw new TypeError('source: expected a path, bytes, or a stream');
}

/** Resolves when a stream has taken the bytes. One that is destroyed meanwhile calls nobody back. */
function written(stream: Writable, bytes: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    const closed = (): void => {
      reject(stream.errored ?? new Error('the stream was closed before it had taken all rows'));
    };
    if (stream.destroyed) {
      closed();
      return;
    }
    stream.once('close', closed);
    stream.write(bytes, (error) => {
      stream.off('close', closed);
      if (error) reject(error);
      else resolve();
    });
  });
}

/** Writes to a stream, which takes its time. */
export function writer(
  destination: Exclude<CsvDestination, string>,
): (bytes: Uint8Array) => Promise<void> {
  if (typeof destination === 'object' && 'getWriter' in destination) {
    return async (bytes) => {
      const writer = destination.getWriter();
      try {
        await writer.write(bytes);
      } finally {
        writer.releaseLock();
      }
    };
  }
  if (typeof destination === 'object' && typeof destination.write === 'function') {
    return (bytes) => written(destination, bytes);
  }
  throw new TypeError('destination: expected a path or a stream');
}
