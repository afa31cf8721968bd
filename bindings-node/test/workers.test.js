// Worker threads: each has the package of its own, and may be stopped at any moment.
'use strict';

const assert = require('node:assert/strict');
const { existsSync } = require('node:fs');
const { join } = require('node:path');
const { test } = require('node:test');
const { MessageChannel, receiveMessageOnPort } = require('node:worker_threads');

const { Platform } = require('..');
const { draft, folder, opened, ran } = require('./support');

for (const how of ['alone', 'beside']) {
  test(`a hundred workers start and stop, ${how === 'alone' ? 'and only they' : 'and the main thread'} load the package`, async (t) => {
    const at = folder(t);
    const { code, signal, stdout, stderr } = await ran('workers-program.js', [at, '100', how]);
    assert.deepEqual(
      { code, signal, stdout, stderr },
      { code: 0, signal: null, stdout: 'done\n', stderr: '' },
    );
    const file = join(at, 'resellers.db');
    const platform = await Platform.open(`sqlite:${file}`);
    const agency = await platform.agency('northwind');
    const { activeResellers } = await agency.overview();
    const { total } = await agency.page({ withTotal: true });
    assert.equal(total.count, activeResellers);
    assert.ok(total.count >= 17, `${total.count} resellers`);
    await platform.close();
    assert.ok(existsSync(file));
  });
}

test('records, pages and usage pass from thread to thread', async () => {
  const { agency } = await opened();
  const reseller = await agency.createReseller(draft({ metadata: { tier: 'gold' } }));
  const { port1, port2 } = new MessageChannel();
  for (const record of [
    reseller,
    await agency.page(),
    await agency.overview(),
    await agency.settings(),
  ]) {
    port1.postMessage(record);
    assert.deepEqual(receiveMessageOnPort(port2).message, record);
    assert.deepEqual(structuredClone(record), record);
  }
  port1.close();
});
