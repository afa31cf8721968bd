// A process that migrates the file that it is given, as soon as it is told to.
'use strict';

const { migrate } = require('../dist/kysely');
const { sqliteInstance } = require('./kysely-databases');

const db = sqliteInstance(process.argv[2], ['busy_timeout = 0']);
process.once('message', async () => {
  await migrate(db);
  await db.destroy();
  process.disconnect();
});
process.send('ready');
