import { call, environment, now, type CallOptions } from './calls';
import type { ResellerDraft } from './forms';
import { named } from './given';
import type { NativePlatform, Operations } from './native';
import { PlatformOperations, type PlatformOperation } from './platform-operations';
import type { FieldError } from './records';
import { ownSettings, settingsDispatcher, type Settings } from './settings';
import {
  checkedDeadline,
  storageDispatcher,
  type StorageOptions,
  type TableStore,
} from './storage';

type Native = NativePlatform & Operations<PlatformOperation>;

/**
 * One store, opened and configured once, with the operations that concern all agencies. Each worker
 * thread opens its own.
 */
export class Platform extends PlatformOperations {
  readonly #native: NativePlatform;

  private constructor(native: Native) {
    super(native);
    this.#native = native;
  }

  /**
   * Opens a store: `memory:`, `sqlite:FILE` or `postgres://USER@HOST/DATABASE`.
   *
   * The part after `sqlite:` is a plain path: `sqlite:resellers.db` is in the current working
   * directory, `sqlite:/var/lib/resellers.db` is absolute. The folder must exist and be writable.
   *
   * Never write to that file with another SQLite library (better-sqlite3, `node:sqlite`) in a process
   * that has a platform on it: these are two copies of SQLite that do not see each other's locks,
   * and the file is destroyed. Use `backup`, another process, or a storage of your own.
   *
   * Throws `ConfigurationError`, `StorageError`.
   *
   * @example
   * ```ts
   * import { ConfigurationError, Platform } from 'partnerkit';
   *
   * const loginBase = 'partner.example.com';
   * const resellers = await Platform.open('sqlite:resellers.db', { loginBase });
   * const agency = await resellers.ensureAgency('northwind');
   * assert.equal(agency.id, 'northwind');
   * await assert.rejects(Platform.open('mysql:resellers'), ConfigurationError);
   * ```
   */
  static async open(
    url: string,
    settings: Settings = {},
    options?: CallOptions,
  ): Promise<Platform> {
    const own = ownSettings(settings);
    const dispatcher = settingsDispatcher(own);
    return new Platform(
      await call<Native>(null, (id) => environment.open(id, url, own, dispatcher), options),
    );
  }

  /**
   * Opens a store of the host's own, with the settings of `open`.
   *
   * @example
   * ```ts
   * import { Platform } from 'partnerkit';
   * import { MyStore } from './my-store.mjs'; // a `TableStore` over the host's database
   *
   * const loginBase = 'partner.example.com';
   * const own = await Platform.withStorage(new MyStore(), { loginBase, deadline: 2_000 });
   * const agency = await own.ensureAgency('northwind');
   * assert.deepEqual((await agency.page()).resellers, []);
   * ```
   */
  static async withStorage(
    storage: TableStore,
    settings: Settings & StorageOptions = {},
    options?: CallOptions,
  ): Promise<Platform> {
    const { deadline = 5_000, ...others } = ownSettings(settings);
    const millis = checkedDeadline(deadline);
    const own = ownSettings(others);
    const dispatchers = [storageDispatcher(storage), settingsDispatcher(own)] as const;
    const open = (id: number) =>
      environment.withStorage(id, dispatchers[0], millis, own, dispatchers[1]);
    return new Platform(await call<Native>(null, open, options));
  }

  /**
   * The URL at which the customers of a login domain's holder sign in: `https://acme.` and the login
   * base. Throws `ValidationError` with the field `loginDomain`.
   *
   * @example
   * ```ts
   * assert.equal(platform.loginUrl(acme.loginDomain), 'https://acme.partner.example.com');
   * ```
   */
  loginUrl(loginDomain: string): string {
    return now(this.#native.loginUrl(loginDomain));
  }

  /**
   * Everything that is wrong with the form of a new reseller, in the order of the form, or what is
   * wrong with one field: for a page that checks a form while it is filled in. No store is asked, so
   * the answer is there at once; what is taken, or reserved by an agency, is known only when the
   * reseller is created.
   *
   * A field is named as in its errors (`loginDomain`, `contact.email`), and a record names all fields
   * in it (`contact`). A name that the form does not have is `unknown_field`.
   *
   * @example
   * ```ts
   * const typed = { ...form, loginDomain: 'Globex' };
   * const [wrong] = platform.formErrors(typed);
   * assert.deepEqual([wrong.field, wrong.code], ['loginDomain', 'uppercase']);
   * assert.deepEqual(platform.formErrors(typed, { field: 'email' }), []);
   * ```
   */
  formErrors(
    draft: ResellerDraft,
    options: { field?: string | null | undefined } = {},
  ): readonly FieldError[] {
    const { field } = named('options', options, ['field']);
    return now(this.#native.formErrors(draft, field));
  }

  /**
   * Closes the platform at the end of the block in which `await using` has declared it.
   *
   * @example
   * ```ts
   * import { Platform } from 'partnerkit';
   *
   * {
   *   await using temporary = await Platform.open('memory:');
   *   await temporary.createAgency('northwind');
   * } // is closed here
   * ```
   */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
