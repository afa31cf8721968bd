// Writes for each entry of the package its twin for ECMAScript modules. It exports the same objects,
// so that `instanceof` holds whichever way a part of a program has loaded the package.
import { createRequire } from 'node:module';
import { readFileSync, writeFileSync } from 'node:fs';

const require = createRequire(import.meta.url);
const { exports } = JSON.parse(readFileSync('package.json', 'utf8'));
const entries = Object.values(exports).filter((entry) => entry.import);
for (const {
  require: { default: commonjs, types },
} of entries) {
  const names = Object.keys(require(commonjs)).sort();
  const file = commonjs.replace('./dist/', './');
  const lines = [
    `import module from '${file}';`,
    '',
    `export const { ${names.join(', ')} } = module;`,
  ];
  writeFileSync(commonjs.replace(/js$/, 'mjs'), `${lines.join('\n')}\n`);
  writeFileSync(types.replace(/d\.ts$/, 'd.mts'), `export * from '${file}';\n`);
}
