// The examples in the package's documentation run as they stand there, and nothing lacks one.
'use strict';

const assert = require('node:assert/strict');
const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { after, test } = require('node:test');
const { pathToFileURL } = require('node:url');

const ts = require('typescript');

const { Platform } = require('..');
const { documented } = require('./documented');
const { draft } = require('./support');

const PACKAGE = path.join(__dirname, '..');
const surface = JSON.parse(fs.readFileSync(path.join(PACKAGE, '../tests/surface.json'), 'utf8'));

/** Types that the host implements or fills in, and that have to have an example. */
const TYPES = ['LegacyVerifier', 'Settings'];

const camel = (name) => name.replace(/_([a-z])/g, (_, letter) => letter.toUpperCase());

/** The examples of operations, by the names of their methods. */
const operations = new Map(
  ['platform', 'agency'].flatMap((handle) =>
    surface[handle].map(({ name, examples }) => [
      `${handle[0].toUpperCase()}${handle.slice(1)}.${camel(name)}`,
      examples.javascript,
    ]),
  ),
);

const found = documented();

test('no function lacks an example', () => {
  const lacking = found.filter(({ examples }) => examples.length === 0);
  const needed = lacking.filter(({ name, isFunction }) => isFunction || TYPES.includes(name));
  assert.deepEqual(
    needed.map(({ name }) => name),
    [],
  );
  for (const type of TYPES)
    assert.ok(
      found.some(({ name }) => name === type),
      type,
    );
});

test('each operation has the example that is declared with it', () => {
  const shown = new Map(found.map(({ name, examples }) => [name, examples]));
  assert.ok(operations.size > 40);
  for (const [name, example] of operations) assert.deepEqual(shown.get(name), [example], name);
});

/** Of each example its name, its code, and whether it is in TypeScript. */
const EXAMPLES = [
  ...[...operations].map(([name, code]) => ({ name, code, isTyped: false })),
  ...found
    .filter(({ name }) => !operations.has(name))
    .flatMap(({ name, examples }) => examples.map((code) => ({ name, code, isTyped: true }))),
];

const ASSERT = "import assert from 'node:assert/strict'; ";

const folder = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'partnerkit-')));
fs.mkdirSync(path.join(folder, 'node_modules'));
fs.symlinkSync(PACKAGE, path.join(folder, 'node_modules', 'partnerkit'));
after(() => {
  process.chdir(__dirname);
  fs.rmSync(folder, { recursive: true });
});

/** A file in the folder of all examples. */
function file(name, text) {
  const whole = path.join(folder, name);
  fs.writeFileSync(whole, text);
  return whole;
}

// The store of the host's own that some examples have.
const STORE = JSON.stringify(pathToFileURL(path.join(__dirname, 'async-memory-store.js')));
const MY_STORE = `import store from ${STORE}; export const MyStore = store.AsyncMemoryStore;`;
file('my-store.mjs', MY_STORE);
file('my-store.d.mts', "export const MyStore: new () => import('partnerkit').TableStore;\n");

const SCENE_TYPES = `
import type * as partnerkit from 'partnerkit';
declare global {
  const platform: partnerkit.Platform;
  const agency: partnerkit.Agency;
  const acme: partnerkit.Reseller;
  const password: string;
  const form: partnerkit.ResellerDraft;
}
`;

/** What an example finds, as in Rust: `core/docs/examples/setup.rs`. */
async function scene() {
  const password = 'plain teal walrus 94 umbrella';
  const platform = await Platform.open('memory:', { loginBase: 'partner.example.com' });
  const agency = await platform.createAgency('northwind');
  const contact = { name: 'Ann Lee', email: 'ann@globex.example', phone: '+49 30 901820' };
  const passwords = { password, passwordConfirmation: password, invite: false };
  return {
    platform,
    agency,
    acme: await agency.createReseller(draft(passwords)),
    password,
    form: draft({ name: 'Globex', email: 'owner@globex.example', contact, loginDomain: 'globex' }),
  };
}

test('every example is right for TypeScript', () => {
  const examples = EXAMPLES.map(({ name, code }) => file(`${name}.mts`, ASSERT + code));
  const program = ts.createProgram([file('scene.d.mts', SCENE_TYPES), ...examples], {
    strict: true,
    noEmit: true,
    target: ts.ScriptTarget.ES2022,
    lib: ['lib.es2022.d.ts', 'lib.esnext.disposable.d.ts'],
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    typeRoots: [path.join(PACKAGE, 'node_modules', '@types')],
    types: ['node'],
  });
  const host = { ...ts.createCompilerHost({}), getCurrentDirectory: () => folder };
  assert.equal(ts.formatDiagnostics(ts.getPreEmitDiagnostics(program), host), '');
});

/** The program of an example. TypeScript is compiled; JavaScript is as it stands. */
function program({ name, code, isTyped }) {
  const compilerOptions = {
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.ESNext,
    verbatimModuleSyntax: true,
  };
  const text = isTyped ? ts.transpileModule(code, { compilerOptions }).outputText : code;
  return file(`${name}.mjs`, ASSERT + text);
}

/** Runs a program in a scene of its own. A name that the program declares hides the scene's. */
async function run(file) {
  const names = await scene();
  Object.assign(globalThis, names);
  try {
    await import(pathToFileURL(file));
  } finally {
    for (const name of Object.keys(names)) delete globalThis[name];
    await names.platform.close();
  }
}

/** The one case that the example of a store's tests runs here. */
const CASE = 'an_agency_is_configured';

for (const example of EXAMPLES) {
  test(`the example of ${example.name}`, async () => {
    const ran = program(example);
    process.chdir(fs.mkdtempSync(path.join(folder, 'files-')));
    if (!example.code.includes("from 'node:test'")) return run(ran);
    // Its tests run in a process of their own, which does not report to the runner of this one.
    const env = { ...process.env, NODE_TEST_CONTEXT: undefined };
    const one = `--test-name-pattern=^${CASE}$`;
    const printed = execFileSync(process.execPath, [one, ran], { env, encoding: 'utf8' });
    return assert.match(printed, /pass 1$/m);
  });
}

test('an example that shows an error fails without it', () => {
  for (const { name, code } of EXAMPLES) {
    assert.equal(code.split('catch (').length, code.split('assert.fail(').length, name);
  }
});
