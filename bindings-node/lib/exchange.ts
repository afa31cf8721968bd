/** CSV files: paths, bytes and streams. */

import type { Writable } from 'node:stream';
import { types } from 'node:util';

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
  readonly #aborted: Promise<never> | undefined;
  #abort: (() => void) | undefined;

  constructor(
    private readonly functions: Record<string, (given: never) => unknown>,
    private readonly signal: AbortSignal | undefined,
    private readonly close: () => void = () => undefined,
  ) {
    if (signal === undefined) return;
    this.#aborted = new Promise((_, reject) => {
      this.#abort = () => {
        // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- the host's reason
        reject(signal.reason);
      };
      signal.addEventListener('abort', this.#abort, { once: true });
    });
    this.#aborted.catch(() => undefined);
  }

  readonly dispatcher: Dispatcher = async (_call, _object, method, args) => {
    try {
      this.signal?.throwIfAborted();
      const done = this.functions[method]?.(args[0] as never);
      // A function that never answers would keep its thread.
      return await (this.#aborted === undefined ? done : Promise.race([done, this.#aborted]));
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
    } finally {
      this.close();
      // One that was aborted still runs, and has to hear of it.
      if (this.#abort && !this.signal?.aborted) {
        this.signal?.removeEventListener('abort', this.#abort);
      }
    }
  }
}

const encoder = new TextEncoder();

/** Half a character, which no text has alone. */
const HALF = /[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/;

/** The bytes of a text that comes in pieces; a character may be in two of them. */
class Encoder {
  #half = '';

  bytes(piece: string): Uint8Array {
    const text = this.#half + piece;
    const cut = /[\uD800-\uDBFF]$/.test(text) ? text.length - 1 : text.length;
    this.#half = text.slice(cut);
    return this.#whole(text.slice(0, cut));
  }

  end(): Uint8Array {
    return this.#whole(this.#half);
  }

  #whole(text: string): Uint8Array {
    if (HALF.test(text)) throw new TypeError('source: the text has half a character');
    return encoder.encode(text);
  }
}

/** A source that is read chunk by chunk. */
export interface Reader {
  /** The next bytes; null at the end. */
  readonly read: () => Promise<Uint8Array | null>;
  /** Tells the source that nothing more is read, so that it closes what it has opened. */
  readonly close: () => void;
}

/** Reads a source. */
export function reader(source: Exclude<CsvSource, string>): Reader {
  const chunks = iterator(source);
  const text = new Encoder();
  const read = async (): Promise<Uint8Array | null> => {
    for (;;) {
      const { done, value } = (await chunks.next()) as IteratorResult<unknown, unknown>;
      const bytes =
        done === true ? text.end() : typeof value === 'string' ? text.bytes(value) : value;
      if (!types.isUint8Array(bytes)) {
        throw new TypeError('source: expected a stream of bytes or text');
      }
      if (bytes.length > 0) return bytes;
      if (done === true) return null;
    }
  };
  return {
    read,
    close: () => {
      // It may never answer, and what it throws concerns nobody any more.
      Promise.resolve()
        .then(() => chunks.return?.())
        .catch(() => undefined);
    },
  };
}

function iterator(source: Exclude<CsvSource, string>): AsyncIterator<unknown> | Iterator<unknown> {
  if (types.isUint8Array(source)) return [source][Symbol.iterator]();
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
