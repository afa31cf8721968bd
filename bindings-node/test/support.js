// What the tests share.
'use strict';

const { Platform } = require('..');
const { AsyncMemoryStore } = require('./async-memory-store');

/** A platform with one agency on a storage of its own. */
async function opened(options = {}, store = new AsyncMemoryStore()) {
  const platform = await Platform.withStorage(store, options);
  return { store, platform, agency: await platform.createAgency('northwind') };
}

/** The form of an invited reseller. */
function draft(changed = {}) {
  return {
    partnerType: 'own_plans',
    name: 'Acme Télécom',
    email: 'owner@acme.example',
    phone: { country: 'US', number: '(415) 555-2671' },
    invite: true,
    contact: { name: 'Ann Lee', email: 'ann@acme.example', phone: { number: '+49 30 901820' } },
    loginDomain: 'acme',
    ...changed,
  };
}

module.exports = { draft, opened };
