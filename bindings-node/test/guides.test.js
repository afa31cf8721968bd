// The JavaScript of the guides runs as it stands there: each guide's blocks in order, as one program.
'use strict';

const assert = require('node:assert/strict');
const { readdirSync, readFileSync } = require('node:fs');
const { join } = require('node:path');
const { after, test } = require('node:test');

const { Scene } = require('./scene');

const FOLDER = join(__dirname, '../../core/docs/guides');
const scene = new Scene();
after(() => scene.remove());

/** The blocks of a guide in one language. */
function blocks(text, language) {
  const found = text.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, 'gms'));
  return [...found].map(([, code]) => code);
}

const GUIDES = readdirSync(FOLDER).map((file) => {
  const text = readFileSync(join(FOLDER, file), 'utf8');
  return { name: file.replace('.md', ''), text, code: blocks(text, 'javascript').join('\n') };
});

test('every guide has JavaScript, as often as Python, but for what Python alone needs', () => {
  assert.ok(GUIDES.length > 5);
  for (const { name, text } of GUIDES) {
    const python = blocks(text, 'python').filter((code) => !/django|fork/i.test(code));
    assert.ok(blocks(text, 'javascript').length >= python.length, name);
  }
});

test('the guides are right for TypeScript, if types are left out', () => {
  assert.equal(scene.diagnostics(GUIDES, { noImplicitAny: false }), '');
});

for (const guide of GUIDES) test(`the guide ${guide.name}`, () => scene.run(guide));
