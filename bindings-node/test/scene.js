// What the examples and the guides find, as in Rust: `core/docs/examples/setup.rs`; and how they run.
'use strict';

const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { pathToFileURL } = require('node:url');

const { sql } = require('kysely');
const ts = require('typescript');

const { Platform } = require('..');
const { sqlite } = require('./kysely-databases');
const { draft } = require('./support');

const PACKAGE = path.join(__dirname, '..');
const ASSERT = "import assert from 'node:assert/strict'; ";

// The store of the host's own that some examples have.
const STORE = JSON.stringify(pathToFileURL(path.join(__dirname, 'async-memory-store.js')));
const MY_STORE = `import store from ${STORE}; export const MyStore = store.AsyncMemoryStore;`;

const TYPES = `
import type { Kysely } from 'kysely';
import type * as partnerkit from 'partnerkit';
declare global {
  const platform: partnerkit.Platform;
  const agency: partnerkit.Agency;
  const acme: partnerkit.Reseller;
  const password: string;
  const form: partnerkit.ResellerDraft;
  const db: Kysely<{ contracts: { reseller: string } }>;
  const beside: typeof db;
}
`;

/** A folder of programs that find the package as users do. */
class Scene {
  #folder = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'partnerkit-')));

  constructor() {
    fs.mkdirSync(path.join(this.#folder, 'node_modules'));
    this.#links('partnerkit', PACKAGE);
    this.#links('kysely', path.dirname(path.dirname(path.dirname(require.resolve('kysely')))));
    this.#file('my-store.mjs', MY_STORE);
    this.#file(
      'my-store.d.mts',
      "export const MyStore: new () => import('partnerkit').TableStore;\n",
    );
  }

  #links(name, to) {
    fs.symlinkSync(to, path.join(this.#folder, 'node_modules', name));
  }

  /** A file in the folder. */
  #file(name, text) {
    const whole = path.join(this.#folder, name);
    fs.writeFileSync(whole, text);
    return whole;
  }

  /** What TypeScript has to say of programs: each has a name and code. */
  diagnostics(programs, options = {}) {
    const files = programs.map(({ name, code }) => this.#file(`${name}.mts`, ASSERT + code));
    const program = ts.createProgram([this.#file('scene.d.mts', TYPES), ...files], {
      strict: true,
      noEmit: true,
      target: ts.ScriptTarget.ES2022,
      lib: ['lib.es2022.d.ts', 'lib.esnext.disposable.d.ts'],
      module: ts.ModuleKind.NodeNext,
      moduleResolution: ts.ModuleResolutionKind.NodeNext,
      typeRoots: [path.join(PACKAGE, 'node_modules', '@types')],
      types: ['node'],
      ...options,
    });
    const host = { ...ts.createCompilerHost({}), getCurrentDirectory: () => this.#folder };
    return ts.formatDiagnostics(ts.getPreEmitDiagnostics(program), host);
  }

  /** Writes a program, and goes to an empty folder. TypeScript is compiled; JavaScript is as it stands. */
  enter({ name, code, isTyped = false }) {
    const compilerOptions = {
      target: ts.ScriptTarget.ES2022,
      module: ts.ModuleKind.ESNext,
      verbatimModuleSyntax: true,
    };
    const text = isTyped ? ts.transpileModule(code, { compilerOptions }).outputText : code;
    process.chdir(fs.mkdtempSync(path.join(this.#folder, 'files-')));
    return this.#file(`${name}.mjs`, ASSERT + text);
  }

  /** Runs a program. A name that it declares hides what the scene has. */
  async run(program) {
    const file = this.enter(program);
    const { names, close } = await found();
    Object.assign(globalThis, names);
    try {
      await import(pathToFileURL(file));
    } finally {
      for (const name of Object.keys(names)) delete globalThis[name];
      await close();
    }
  }

  remove() {
    process.chdir(__dirname);
    fs.rmSync(this.#folder, { recursive: true });
  }
}

/** What a program finds: all names are global. */
async function found() {
  const password = 'plain teal walrus 94 umbrella';
  const platform = await Platform.open('memory:', { loginBase: 'partner.example.com' });
  const agency = await platform.createAgency('northwind');
  const contact = { name: 'Ann Lee', email: 'ann@globex.example', phone: '+49 30 901820' };
  const passwords = { password, passwordConfirmation: password, invite: false };
  const database = await sqlite({ tables: false });
  const { db, beside } = database;
  await sql`CREATE TABLE contracts (reseller TEXT NOT NULL)`.execute(db);
  const names = {
    platform,
    agency,
    acme: await agency.createReseller(draft(passwords)),
    password,
    form: draft({ name: 'Globex', email: 'owner@globex.example', contact, loginDomain: 'globex' }),
    db,
    beside,
  };
  const close = () => Promise.all([platform.close(), database.close()]);
  return { names, close };
}

module.exports = { Scene };
