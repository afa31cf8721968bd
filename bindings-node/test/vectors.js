// Performing the steps of the vectors (tests/vectors at the top of the repository) through the
// package. The form of files, cases and steps is told in tests/src/vectors.rs.
'use strict';

const assert = require('node:assert/strict');
const { readFileSync, readdirSync } = require('node:fs');
const { join } = require('node:path');
const { Readable, Writable } = require('node:stream');

const { PartnerKitError, Platform, nationalFormat, phoneCountries } = require('..');
const { TESTS, answer, called, camel, errorToWire, toForm, toWire } = require('./surface');

const FOLDER = join(TESTS, 'vectors');

/** JSON with exact integers: those that are not exact as a `number` become `bigint`s. */
function parsed(text) {
  const marked = text.replace(/"(?:[^"\\]|\\.)*"|-?\d{16,}/g, (token) =>
    token.startsWith('"') ? token : `{"bigint":"${token}"}`,
  );
  return JSON.parse(marked, (_, value) =>
    typeof value?.bigint === 'string' ? exact(BigInt(value.bigint)) : value,
  );
}

const exact = (integer) => (Number.isSafeInteger(Number(integer)) ? Number(integer) : integer);

/** Every case, by the name of its file and its own. */
function cases() {
  const found = new Map();
  for (const file of readdirSync(FOLDER)
    .filter((name) => name.endsWith('.json'))
    .sort()) {
    for (const of of parsed(readFileSync(join(FOLDER, file), 'utf8')).cases) {
      found.set(`${file.replace('.json', '')}: ${of.name}`, of);
    }
  }
  return found;
}

/** Noon of a day in the middle of a month. */
const NOON = 1_773_576_000_000;

/** Runs a case on an empty platform. */
async function run(of) {
  let now = NOON;
  const options = {
    loginBase: 'partner.example.com',
    clock: () => new Date(now),
    ...settings(of.settings),
  };
  await closing(await Platform.open('memory:', options), async (platform) => {
    await platform.createAgency('northwind');
    const kept = {};
    for (const [place, step] of of.steps.entries()) {
      if (step.forward !== undefined) {
        now += step.forward;
        continue;
      }
      kept.now = now;
      const what = `step ${place + 1} (${step.call})`;
      const { failed, told } = await attempt(platform, step, resolved(step.with ?? {}, kept));
      assert.equal(
        failed,
        'fails' in step,
        `${what}: ${failed ? 'failed' : 'gave'} ${shown(told)}`,
      );
      const expected = failed ? step.fails : 'gives' in step ? step.gives : '*';
      const found = expected === '*' ? null : difference(resolved(expected, kept), told);
      assert.equal(found, null, `${what}: ${found}`);
      if (step.keep !== undefined) kept[step.keep] = told;
    }
  });
}

async function closing(platform, work) {
  try {
    await work(platform);
  } finally {
    await platform.close();
  }
}

/** Whether a step failed, and its answer or error in the wire form. */
async function attempt(platform, step, args) {
  try {
    return { failed: false, told: await perform(platform, step, args) };
  } catch (error) {
    if (!(error instanceof PartnerKitError)) throw error;
    return { failed: true, told: errorToWire(error) };
  }
}

/** Settings of a case as `Platform.open` takes them. */
function settings(given = {}) {
  const {
    source_limit: source,
    keep_changes_days: days,
    usage_lateness_days: late,
    ...others
  } = given;
  const options = Object.fromEntries(Object.entries(others).map(([name, of]) => [camel(name), of]));
  if (source !== undefined) options.sourceLimit = { burst: source[0], every: source[1] * 1_000 };
  if (days !== undefined) options.keepChanges = days * 86_400_000;
  if (late !== undefined) options.usageLateness = late * 86_400_000;
  return options;
}

/** The value with every `$name.path` replaced by what was kept. */
function resolved(value, kept) {
  if (typeof value === 'string' && value.startsWith('$$')) return value.slice(1);
  if (typeof value === 'string' && value.startsWith('$')) {
    const found = value
      .slice(1)
      .split('.')
      .reduce((of, key) => of?.[key], kept);
    assert.notEqual(found, undefined, `nothing is kept as ${value}`);
    return found;
  }
  if (Array.isArray(value)) return value.map((item) => resolved(item, kept));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [name, resolved(item, kept)]),
  );
}

/** Where an answer is not what was expected; null if it is. */
function difference(expected, actual) {
  if (expected === '*' && actual !== null && actual !== undefined) return null;
  const both = [expected, actual].every((value) => typeof value === 'object' && value !== null);
  const lists = [expected, actual].filter(Array.isArray).length;
  if (both && lists === 0) return firstDifference(Object.keys(expected), expected, actual);
  if (lists === 2 && expected.length === actual.length) {
    return firstDifference(expected.keys(), expected, actual);
  }
  if (!both && expected === (actual ?? null)) return null;
  return `${shown(expected)} was expected, not ${shown(actual)}`;
}

function firstDifference(places, expected, actual) {
  for (const place of places) {
    const found = difference(expected[place], actual[place]);
    if (found !== null) return `${place}: ${found}`;
  }
  return null;
}

const shown = (value) => JSON.stringify(value, (_, of) => (typeof of === 'bigint' ? `${of}n` : of));

// Operations

async function perform(platform, step, args) {
  if (step.on === undefined) {
    const own = ON_PLATFORM[step.call];
    if (own !== undefined) return own(platform, args);
    const given = (FORMS[step.call] ?? ((of) => of))(args);
    return answer('platform', step.call, await called('platform', platform, step.call, given));
  }
  const agency = await platform.agency(step.on);
  const acting = step.as === undefined ? agency : agency.actingAs(step.as);
  const streamed = STREAMED[step.call];
  if (streamed !== undefined) return streamed(acting, args);
  const given = (FORMS[step.call] ?? ((of) => of))(args);
  return answer('agency', step.call, await called('agency', acting, step.call, given));
}

/** What needs no store. */
const ON_PLATFORM = {
  login_url: (platform, args) => platform.loginUrl(args.login_domain),
  national_format: (_, args) => nationalFormat(args.phone),
  phone_countries: (_, args) => {
    const found = phoneCountries().find(({ code }) => code === args.code);
    return found === undefined ? null : toWire({ named: 'PhoneCountry' }, found);
  },
};

/** `{"label": "acme", "but": {…}}` as the fields of a form, in the wire form. */
function form({ label = 'acme', but = {}, ...others }) {
  return {
    partner_type: 'own_plans',
    name: `The ${label} company`,
    email: `owner@${label}.example`,
    phone: { country: 'US', number: '(415) 555-2671' },
    invite: true,
    contact: {
      name: 'Ann Lee',
      email: 'ann@contact.example',
      phone: { number: '+49 30 901820' },
    },
    login_domain: label,
    ...but,
    ...others,
  };
}

/** Steps that name a form, and not its fields. */
const FORMS = {
  form_errors: ({ field, ...of }) => ({
    ...form(of),
    ...(field !== undefined && { field: field.split('.').map(camel).join('.') }),
  }),
  create_reseller: form,
  create_resellers: ({ forms }) => ({ forms: forms.map(form) }),
  check_resellers: ({ forms }) => ({ forms: forms.map(form) }),
};

/** Operations that read or write a file. */
const STREAMED = {
  async import_csv(agency, { file, ...options }) {
    const rows = [];
    const each = (row) => rows.push(toWire({ named: 'RowReport' }, row));
    const source = Readable.from([Buffer.from(file)]);
    const given = toForm({ named: 'ImportOptions' }, options);
    const report = await agency.importCsv(source, { ...given, each });
    return { report: answer('agency', 'import_csv', report), rows };
  },
  async export_csv(agency, args) {
    const chunks = [];
    const destination = new Writable({
      write(chunk, _, done) {
        chunks.push(chunk);
        done();
      },
    });
    await agency.exportCsv(destination, toForm({ named: 'ResellerQuery' }, args));
    return Buffer.concat(chunks).toString();
  },
};

module.exports = { cases, run };
