// The JavaScript of the READMEs runs as it stands there.
'use strict';

const assert = require('node:assert/strict');
const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { test } = require('node:test');

const PACKAGE = path.join(__dirname, '..');

/** The blocks of a page, as one program. */
function program(page) {
  const blocks = [...fs.readFileSync(page, 'utf8').matchAll(/```js\n(.*?)```/gs)];
  assert.ok(blocks.length > 0, page);
  return blocks.map(([, code]) => code).join('\n');
}

for (const name of ['README.md', '../README.md']) {
  test(`${name} runs`, () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'partnerkit-'));
    try {
      fs.mkdirSync(path.join(folder, 'node_modules'));
      fs.symlinkSync(PACKAGE, path.join(folder, 'node_modules', 'partnerkit'));
      fs.writeFileSync(path.join(folder, 'program.mjs'), program(path.join(PACKAGE, name)));
      const printed = execFileSync('node', ['program.mjs'], { cwd: folder, encoding: 'utf8' });
      assert.match(printed, /Acme Télécom/);
    } finally {
      fs.rmSync(folder, { recursive: true });
    }
  });
}
