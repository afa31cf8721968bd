// Builds the addon with cargo and puts it beside this file: partnerkit.node.
'use strict';

const { spawnSync } = require('node:child_process');
const { copyFileSync, rmSync } = require('node:fs');
const { join } = require('node:path');

const args = ['build', '--locked', '--lib', '--message-format', 'json-render-diagnostics'];
const { status, stdout, error } = spawnSync('cargo', [...args, ...process.argv.slice(2)], {
  cwd: __dirname,
  encoding: 'utf8',
  maxBuffer: 2 ** 28,
  stdio: ['ignore', 'pipe', 'inherit'],
});
if (status !== 0) {
  console.error(error ? `cargo cannot be run: ${error.message}` : 'cargo could not build the addon');
  process.exit(1);
}
// cargo says what it has made, on every system under another name and in whatever folder.
const made = stdout.split('\n').filter(Boolean).map((line) => JSON.parse(line));
const [addon] = made
  .filter(({ reason, target }) => reason === 'compiler-artifact' && target.name === 'partnerkit_node')
  .flatMap(({ filenames }) => filenames.filter((name) => /\.(so|dylib|dll)$/.test(name)));
const there = join(__dirname, 'partnerkit.node');
// Removed first: a process that has the old one loaded keeps it whole.
rmSync(there, { force: true });
copyFileSync(addon, there);
