// The packed package, installed in an empty folder of a machine without a compiler.
'use strict';

const assert = require('node:assert/strict');
const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { after, before, test } = require('node:test');

const HERE = path.join(__dirname, '..');
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'partnerkit-'));
const app = path.join(folder, 'app');
after(() => fs.rmSync(folder, { recursive: true, force: true }));

/** A path with nothing on it but Node and its package manager. */
function bare() {
  const bin = path.join(folder, 'bin');
  fs.mkdirSync(bin);
  const npm = execFileSync('sh', ['-c', 'command -v npm'], { encoding: 'utf8' }).trim();
  const programs = { node: process.execPath, npm, sh: '/bin/sh', env: '/usr/bin/env' };
  for (const [name, to] of Object.entries(programs)) fs.symlinkSync(to, path.join(bin, name));
  return bin;
}

let env;

before(() => {
  execFileSync(process.execPath, [path.join(HERE, 'pack.mjs'), folder]);
  env = { ...process.env, PATH: bare() };
  fs.mkdirSync(app);
  fs.writeFileSync(path.join(app, 'package.json'), '{"name": "app", "private": true}');
  const tarballs = fs.readdirSync(folder).filter((name) => name.endsWith('.tgz'));
  assert.equal(tarballs.length, 2, String(tarballs));
  // The packages of the other platforms are in no registry: `--omit=optional` leaves them out, and
  // the one for this platform is installed by name.
  const options = ['--offline', '--no-audit', '--no-fund', '--omit=optional', '--silent'];
  const files = tarballs.map((name) => path.join(folder, name));
  execFileSync('npm', ['install', ...options, ...files], { cwd: app, env });
});

/** What a program in the folder prints. */
function ran(name, text) {
  fs.writeFileSync(path.join(app, name), text);
  return execFileSync('node', [name], { cwd: app, env, encoding: 'utf8' });
}

const PROGRAM = `
async function main() {
  const platform = await Platform.open('sqlite:resellers.db');
  const agency = await platform.ensureAgency('northwind');
  const refused = await agency.createReseller({ name: '' }).catch((error) => error);
  console.log(refused instanceof ValidationError, refused.fields[0].field, (await agency.page()).resellers);
}
main();
`;
const PRINTED = 'true partnerType []\n';

test('it works as a module of CommonJS', () => {
  const head = "const { Platform, ValidationError } = require('partnerkit');";
  assert.equal(ran('program.cjs', head + PROGRAM), PRINTED);
});

test('it works as an ECMAScript module', () => {
  const head = "import { Platform, ValidationError } from 'partnerkit';";
  assert.equal(ran('program.mjs', head + PROGRAM), PRINTED);
});

test('both are one package', () => {
  const printed = ran(
    'both.mjs',
    `import * as module from 'partnerkit';
     import { createRequire } from 'node:module';
     const common = createRequire(import.meta.url)('partnerkit');
     console.log(common.Platform === module.Platform, Object.keys(common).length === Object.keys(module).length);`,
  );
  assert.equal(printed, 'true true\n');
});

test('what is not needed at run time is not packed', () => {
  const root = path.join(app, 'node_modules', 'partnerkit');
  assert.deepEqual(fs.readdirSync(root).sort(), [
    'LICENSE',
    'README.md',
    'dist',
    'lib',
    'package.json',
  ]);
  const { devDependencies, scripts, optionalDependencies } = JSON.parse(
    fs.readFileSync(path.join(root, 'package.json'), 'utf8'),
  );
  assert.deepEqual([devDependencies, scripts], [undefined, undefined]);
  assert.equal(Object.keys(optionalDependencies).length, 8);
  assert.ok(
    !fs.readFileSync(path.join(root, 'dist', 'platform.d.ts'), 'utf8').includes('@internal'),
  );
});

test('a platform without a native module is told how to get it', () => {
  const root = path.join(app, 'node_modules', 'partnerkit-linux-x64-gnu');
  fs.renameSync(root, `${root}.away`);
  assert.throws(
    () => execFileSync('node', ['-e', "require('partnerkit')"], { cwd: app, env, stdio: 'pipe' }),
    (error) => /partnerkit-linux-x64-gnu.*--omit=optional/.test(String(error.stderr)),
  );
  fs.renameSync(`${root}.away`, root);
});
