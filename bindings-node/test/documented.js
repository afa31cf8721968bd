// What the package offers, with the examples in its documentation.
'use strict';

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');

const ts = require('typescript');

const PACKAGE = path.join(__dirname, '..');

/** The options with which the package is compiled. */
function options() {
  const file = path.join(PACKAGE, 'tsconfig.json');
  const read = ts.readConfigFile(file, ts.sys.readFile);
  return ts.parseJsonConfigFileContent(read.config, ts.sys, PACKAGE).options;
}

/** The source of each entry of the package. */
function entries() {
  const { exports } = JSON.parse(fs.readFileSync(path.join(PACKAGE, 'package.json'), 'utf8'));
  const compiled = Object.values(exports).flatMap((entry) => entry.require?.default ?? []);
  return compiled.map((file) =>
    path.join(PACKAGE, file.replace('./dist/', './lib/').replace(/js$/, 'ts')),
  );
}

const HIDDEN = ts.ModifierFlags.Private | ts.ModifierFlags.Protected;
const CALLED = ts.SymbolFlags.Function | ts.SymbolFlags.Method | ts.SymbolFlags.Accessor;

/** Whether it is a function, method or accessor of the package that a user can see. */
function isPublicFunction(symbol) {
  const [declaration] = symbol.declarations ?? [];
  if (declaration === undefined || (symbol.flags & CALLED) === 0) return false;
  return (
    declaration.getSourceFile().fileName.startsWith(path.join(PACKAGE, 'lib')) &&
    (ts.getCombinedModifierFlags(declaration) & HIDDEN) === 0 &&
    !ts.isPrivateIdentifier(declaration.name) &&
    !symbol.getJsDocTags().some((tag) => tag.name === 'internal')
  );
}

/** The class that declares a member; operations are those of the handle that inherits them. */
function named(symbol) {
  const [{ name, parent }] = symbol.declarations;
  const of = ts.isClassDeclaration(parent) ? `${parent.name.text.replace(/Operations$/, '')}.` : '';
  return of + name.getText();
}

/** The code of the examples of a symbol. */
function examples(symbol, checker) {
  const tags = symbol.getJsDocTags(checker).filter((tag) => tag.name === 'example');
  return tags.map((tag) => {
    const [, code] = /^```ts\n(.*)\n```$/s.exec(ts.displayPartsToString(tag.text)) ?? [];
    assert.ok(code, `an example of ${symbol.name} is no block of TypeScript`);
    return code;
  });
}

/** The names of what a class has because the library calls it: the members of a `TableStore`. */
function forTheLibrary(symbol, checker) {
  const clauses = symbol.valueDeclaration.heritageClauses ?? [];
  const implemented = clauses.filter(({ token }) => token === ts.SyntaxKind.ImplementsKeyword);
  const types = implemented.flatMap((clause) => clause.types);
  return types
    .flatMap((type) => checker.getTypeAtLocation(type).getProperties())
    .map((of) => of.name);
}

/** The functions of a class and of its instances that a user calls. */
function members(symbol, checker) {
  if ((symbol.flags & ts.SymbolFlags.Class) === 0) return [];
  const types = [checker.getTypeOfSymbol(symbol), checker.getDeclaredTypeOfSymbol(symbol)];
  const apart = forTheLibrary(symbol, checker);
  const all = types.flatMap((type) => type.getProperties()).filter(isPublicFunction);
  return all.filter(({ name }) => !apart.includes(name));
}

/**
 * Everything that the package exports, and the functions among the members of its classes: their
 * names, whether they are functions, and their examples.
 */
function documented() {
  const program = ts.createProgram(entries(), options());
  const checker = program.getTypeChecker();
  const seen = new Set();
  for (const entry of entries()) {
    const module = checker.getSymbolAtLocation(program.getSourceFile(entry));
    for (const exported of checker.getExportsOfModule(module)) {
      const isAlias = (exported.flags & ts.SymbolFlags.Alias) !== 0;
      const symbol = isAlias ? checker.getAliasedSymbol(exported) : exported;
      seen.add(symbol);
      members(symbol, checker).forEach((member) => seen.add(member));
    }
  }
  return [...seen].map((symbol) => ({
    name: named(symbol),
    isFunction: isPublicFunction(symbol),
    examples: examples(symbol, checker),
  }));
}

/** The links of the package's documentation that lead nowhere. */
function dangling() {
  const program = ts.createProgram(entries(), options());
  const checker = program.getTypeChecker();
  const found = [];
  const look = (node) => {
    const isLink = ts.isJSDocLink(node) && node.name !== undefined;
    if (isLink && checker.getSymbolAtLocation(node.name) === undefined) found.push(node.getText());
    for (const comment of node.jsDoc ?? []) ts.forEachChild(comment, look);
    ts.forEachChild(node, look);
  };
  const isOwn = ({ fileName }) => fileName.startsWith(path.join(PACKAGE, 'lib'));
  program.getSourceFiles().filter(isOwn).forEach(look);
  return found;
}

module.exports = { dangling, documented };
