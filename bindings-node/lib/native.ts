/** The native module: the one beside the package when it was built here, else that of a package for the platform. */

import type { FieldError } from './records';

/** An error as the native module gives it. */
export interface Failure {
  readonly code: string;
  readonly message: string;
  readonly fields: readonly unknown[];
  readonly currentVersion: number | null;
  readonly retryAfter: number | null;
  readonly cause?: unknown;
}

/** Calls an object of the host: `object` is the number of a transaction or a store, or null. */
export type Dispatcher = (
  call: number,
  object: bigint | null,
  method: string,
  args: unknown[],
) => Promise<unknown>;

/** The result of a function that needs no store. */
export type Synchronous<T> = { readonly value: T } | { readonly failure: Failure };

/** The native half of a handle: each operation begins a call by its number, or says why it is refused. */
export type Operations<Name extends string> = Readonly<
  Record<Name, (call: number, ...given: unknown[]) => Failure | null | undefined>
>;

/** Begins a call by its number and the fields of its options, or says why it is refused. */
export type Start<Given = unknown> = (call: number, given: Given) => Failure | null | undefined;

/** What the native module has of `Platform` beside the operations. */
export interface NativePlatform {
  loginUrl(loginDomain: unknown): Synchronous<string>;
  formErrors(draft: unknown, field: unknown): Synchronous<readonly FieldError[]>;
}

/** What the native module has of `Agency` beside the operations. */
export interface NativeAgency {
  readonly id: string;
  actingAs(actor: unknown): Synchronous<NativeAgency>;
}

type Begun = ReturnType<Start>;

/** Takes the result of a call, and what is told of it if calls are logged. */
export type Settle = (
  call: number,
  failed: boolean,
  value: unknown,
  log: Record<string, string> | null,
) => void;

/** The package's objects in this environment: the main thread, or a worker. */
export interface Environment {
  open(call: number, url: unknown, settings: object, dispatcher: Dispatcher): Begun;
  withStorage(
    call: number,
    storage: Dispatcher,
    deadline: number,
    settings: object,
    dispatcher: Dispatcher,
  ): Begun;
  importCsv(
    call: number,
    agency: NativeAgency,
    path: unknown,
    dryRun: unknown,
    delimiter: unknown,
    isTold: boolean,
    dispatcher: Dispatcher,
  ): Begun;
  exportCsv(
    call: number,
    agency: NativeAgency,
    path: unknown,
    query: unknown,
    dispatcher: Dispatcher,
  ): Begun;
  take(settle: Settle, comesBack: boolean): boolean;
  go(): void;
  beside(isBeside: boolean): void;
  cancel(call: number): boolean;
  phoneCountries(): string;
  fieldCodes(): string;
  runConformanceCase(call: number, name: string, dispatcher: Dispatcher, deadline: number): Begun;
  panicForTests(call: number, message: string): Begun;
}

/** What the native module exports. */
export interface Native {
  begin(wake: () => void): Environment;
  nationalFormat(phone: unknown): Synchronous<string>;
  httpStatuses(): Record<string, number>;
  schema(): unknown;
  schemaVersion(): number;
  version(): string;
  logCalls(): void;
  conformanceCases(): string[];
}

/** The name of the package with the native module for this platform. */
function platformPackage(): string {
  const { platform, arch } = process;
  if (platform !== 'linux')
    return `partnerkit-${platform}-${arch}${platform === 'win32' ? '-msvc' : ''}`;
  const report = process.report.getReport() as { header: { glibcVersionRuntime?: string } };
  return `partnerkit-linux-${arch}-${report.header.glibcVersionRuntime ? 'gnu' : 'musl'}`;
}

/* eslint-disable @typescript-eslint/no-require-imports -- a native module has no other way in */
function load(): Native {
  try {
    return require('../partnerkit.node') as Native;
  } catch (missing) {
    if ((missing as NodeJS.ErrnoException).code !== 'MODULE_NOT_FOUND') throw missing;
  }
  const name = platformPackage();
  try {
    return require(name) as Native;
  } catch (cause) {
    const message =
      `partnerkit: the native module for this platform is not installed (${name}). ` +
      'Install without --omit=optional, on the platform on which the program runs.';
    throw new Error(message, { cause });
  }
}

/* eslint-enable @typescript-eslint/no-require-imports */

export const native: Native = load();
