// Calls by the core's names, for the vectors: arguments as the package takes them, and answers in the
// wire form. Both follow from tests/surface.json, which says what the core offers.
'use strict';

const assert = require('node:assert/strict');
const { readFileSync } = require('node:fs');
const { join } = require('node:path');

const { ValidationError } = require('..');

const TESTS = join(__dirname, '..', '..', 'tests');
const SURFACE = JSON.parse(readFileSync(join(TESTS, 'surface.json'), 'utf8'));

const byName = (list) => new Map(list.map((of) => [of.name, of]));
const OPERATIONS = { platform: byName(SURFACE.platform), agency: byName(SURFACE.agency) };
const RECORDS = byName(SURFACE.records);
const ENUMERATIONS = byName(SURFACE.enumerations);
const VALUES = byName(SURFACE.values);
const SLUGS = new Set(SURFACE.codes.map(({ slug }) => slug));

const camel = (name) => name.replace(/_([a-z0-9])/g, (_, letter) => letter.toUpperCase());
const snake = (name) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

const isObject = (value) => typeof value === 'object' && value !== null && !Array.isArray(value);

// Arguments

/** The record of a form that is an argument of its own, and whose fields a step gives beside others. */
const formOf = ({ type }) => RECORDS.get(type.named);

/** How many arguments are given in order; more are given in one object. */
const IN_ORDER = 2;

/** The arguments of an operation, of which a step has the names and values of the wire form. */
function parameters(operation, given) {
  const { arguments: all } = operation;
  const required = all.filter((argument) => !argument.may_lack);
  const others = all.filter((argument) => formOf(argument) === undefined);
  const form = Object.fromEntries(
    Object.entries(given).filter(([name]) => !others.some((argument) => argument.name === name)),
  );
  const value = (argument) =>
    formOf(argument) ? toForm(argument.type, form) : toForm(argument.type, given[argument.name]);
  const named = (list) =>
    Object.fromEntries(
      list
        .filter((argument) => formOf(argument) || argument.name in given)
        .map((argument) => [camel(argument.name), value(argument)]),
    );
  if (required.length > IN_ORDER) return [named(all)];
  const options = named(all.filter((argument) => argument.may_lack));
  return [...required.map(value), options];
}

/** A value of the wire form as the package takes it; one of another type stays what it is. */
function toForm(type, value) {
  const inner = type.optional ?? type.patch;
  if (inner !== undefined) return toForm(inner, value);
  if (type.list !== undefined && Array.isArray(value)) {
    return value.map((item) => toForm(type.list, item));
  }
  if (type.named === 'Timestamp') return typeof value === 'number' ? new Date(value) : value;
  const record = RECORDS.get(type.named);
  if (record === undefined || !isObject(value)) return value;
  const fields = byName(record.fields);
  const field = ([name, given]) => {
    const known = fields.get(name);
    if (known === undefined) return [name, given];
    // The fields of an event are of any type; its time is an instant.
    const of = type.named === 'EventDraft' && name === 'at' ? { named: 'Timestamp' } : known.type;
    return [camel(name), toForm(of, given)];
  };
  return Object.fromEntries(Object.entries(value).map(field));
}

/** A call of an operation with the arguments of a step. */
function called(of, handle, name, given) {
  const operation = OPERATIONS[of].get(name);
  if (operation === undefined) throw new Error(`the ${of} has no operation ${name}`);
  return handle[camel(name)](...parameters(operation, given));
}

// Answers

/** The answer of an operation in the wire form. Its types are those that the surface says. */
const answer = (of, name, value) => toWire(OPERATIONS[of].get(name).answer, value);

function toWire(type, value) {
  if (type === 'nothing') return expected(value === undefined, 'nothing', null);
  if (type === 'bool') return expected(typeof value === 'boolean', 'a boolean', value);
  if (type === 'text' || type === 'uuid')
    return expected(typeof value === 'string', 'a text', value);
  if (type.integer !== undefined) return integer(type.integer, value);
  if (type.optional !== undefined) return value === null ? null : toWire(type.optional, value);
  const items = type.list ?? type.set;
  if (items !== undefined) return value.map((item) => toWire(items, item));
  if (type.map !== undefined) return mapped(value, (item) => toWire(type.map[1], item));
  if (type.either !== undefined) {
    return value instanceof ValidationError
      ? { fields: refused(value) }
      : toWire(type.either[0], value);
  }
  return named(type.named, value);
}

function expected(holds, what, value) {
  assert.ok(holds, `${what} was expected, not ${typeof value}`);
  return value;
}

/** Only what may pass 2^53 is a `bigint`, and all of that is. */
function integer(of, value) {
  if (of !== 'i64') return expected(Number.isSafeInteger(value), 'a number', value);
  expected(typeof value === 'bigint', 'a bigint', value);
  return Number.isSafeInteger(Number(value)) ? Number(value) : value;
}

const mapped = (map, of) =>
  Object.fromEntries(Object.entries(map).map(([key, value]) => [key, of(value)]));

function named(name, value) {
  if (name === 'Agency') return value.id;
  if (name === 'Timestamp') return expected(value instanceof Date, 'a Date', value).getTime();
  if (name === 'Code') return expected(SLUGS.has(value), 'a code', value);
  const enumeration = ENUMERATIONS.get(name);
  if (enumeration !== undefined) {
    return expected(
      enumeration.variants.some(({ slug }) => slug === value),
      name,
      value,
    );
  }
  const record = RECORDS.get(name);
  if (record === undefined) return toWire(VALUES.get(name).type, value);
  return (SPECIAL[name] ?? ((fields) => fields))(fields(record, value));
}

/** The fields of a record. It has no others. */
function fields(record, value) {
  const names = record.fields.map((field) => camel(field.name));
  assert.deepEqual(Object.keys(value), names, record.name);
  // The bounds of a field are small numbers.
  const of = (field) =>
    field.name === 'params' ? (bounds) => bounds : (it) => toWire(field.type, it);
  return Object.fromEntries(
    record.fields.map((field) => [field.name, of(field)(value[camel(field.name)])]),
  );
}

/** Records that have another wire form, and those that name fields. */
const SPECIAL = {
  Total: ({ count, exact }) => ({ [exact ? 'exact' : 'at_least']: count }),
  DeletionPreview: (preview) => ({ ...preview, levels: Object.entries(preview.levels) }),
  Change: (change) => ({ ...change, fields: change.fields.map(snake) }),
  EventOutcome: (outcome) => ({ ...outcome, field: outcome.field && snake(outcome.field) }),
  FieldError: (error) => ({ ...error, field: snake(error.field) }),
  RowReport: ({ line, kind, reseller, errors }) => ({
    line,
    outcome: { [kind]: kind === 'rejected' ? errors : reseller },
  }),
};

const refused = (error) => error.fields.map((field) => toWire({ named: 'FieldError' }, field));

/** An error in the wire form. */
function errorToWire(error) {
  const wire = { kind: error.code, message: error.message, fields: refused(error) };
  if (error.currentVersion !== undefined) wire.current_version = error.currentVersion;
  if (error.retryAfter !== undefined) wire.retry_after = error.retryAfter;
  return wire;
}

module.exports = { OPERATIONS, TESTS, answer, called, camel, errorToWire, toForm, toWire };
