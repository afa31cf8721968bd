// Packs the package for the registry, laid out as napi-rs does: `partnerkit` has the JavaScript, and
// for each platform a package of its own has the native module, on which `partnerkit` depends
// optionally, so that a client installs the one that fits.
//
//     node pack.mjs FOLDER [TARGET=partnerkit.node …]
//
// writes the tarballs into the folder: that of `partnerkit`, and those of the targets whose native
// modules are given (without any: the one that was built here, for this platform).
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const HERE = fileURLToPath(new URL('.', import.meta.url));

/** Every platform for which there is a package, by its name, with the target of Rust that builds it. */
export const TARGETS = {
  'linux-x64-gnu': 'x86_64-unknown-linux-gnu',
  'linux-x64-musl': 'x86_64-unknown-linux-musl',
  'linux-arm64-gnu': 'aarch64-unknown-linux-gnu',
  'linux-arm64-musl': 'aarch64-unknown-linux-musl',
  'darwin-x64': 'x86_64-apple-darwin',
  'darwin-arm64': 'aarch64-apple-darwin',
  'win32-x64-msvc': 'x86_64-pc-windows-msvc',
  'win32-arm64-msvc': 'aarch64-pc-windows-msvc',
};

const LIBC = { gnu: 'glibc', musl: 'musl' };

const manifest = JSON.parse(readFileSync(join(HERE, 'package.json'), 'utf8'));
const { version, license, description, engines } = manifest;

/** The manifest of the package for a platform. */
function ofPlatform(target) {
  const [os, cpu, abi] = target.split('-');
  const file = `partnerkit.${target}.node`;
  return {
    name: `partnerkit-${target}`,
    version,
    description: `${description} The native module for ${target}.`,
    license,
    main: file,
    files: [file],
    os: [os],
    cpu: [cpu],
    ...(LIBC[abi] && { libc: [LIBC[abi]] }),
    engines,
  };
}

/** The manifest of the package itself. */
function ofPackage() {
  const { devDependencies: _, scripts: __, ...published } = manifest;
  const natives = Object.keys(TARGETS).map((target) => [`partnerkit-${target}`, version]);
  return { ...published, optionalDependencies: Object.fromEntries(natives) };
}

function pack(folder, staged, files) {
  mkdirSync(staged, { recursive: true });
  for (const [name, from] of Object.entries(files))
    cpSync(from, join(staged, name), { recursive: true });
  execFileSync('npm', ['pack', '--silent', '--pack-destination', folder], {
    cwd: staged,
    shell: process.platform === 'win32',
  });
}

const [folder, ...given] = process.argv.slice(2);
if (folder === undefined) throw new Error('usage: node pack.mjs FOLDER [TARGET=FILE …]');
const out = resolve(folder);
const natives = given.map((pair) => pair.split('='));
if (natives.length === 0) natives.push(['linux-x64-gnu', join(HERE, 'partnerkit.node')]);

const staging = join(out, 'staging');
rmSync(staging, { recursive: true, force: true });
const licence = { LICENSE: join(HERE, '..', 'LICENSE') };
for (const [target, file] of natives) {
  if (!(target in TARGETS)) throw new Error(`there is no package for ${target}`);
  const staged = join(staging, target);
  mkdirSync(staged, { recursive: true });
  writeFileSync(join(staged, 'package.json'), JSON.stringify(ofPlatform(target), null, 2));
  pack(out, staged, { ...licence, [`partnerkit.${target}.node`]: resolve(file) });
}
const staged = join(staging, 'partnerkit');
mkdirSync(staged, { recursive: true });
writeFileSync(join(staged, 'package.json'), JSON.stringify(ofPackage(), null, 2));
const sources = Object.fromEntries(
  ['dist', 'lib', 'README.md'].map((name) => [name, join(HERE, name)]),
);
pack(out, staged, { ...licence, ...sources });
rmSync(staging, { recursive: true });
