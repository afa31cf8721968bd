/** Resellers come and go as CSV, in streams: no file is ever whole in memory or on the disk. */
import { PassThrough } from 'node:stream';
import type { FastifyInstance } from 'fastify';
import { answerOf, isGone, logError } from './errors.js';
import { agencyOf } from './guard.js';
import { type QueryText, queryOf, queryText } from './resellers.js';
import { signalOf } from './signal.js';
import { toJson } from './values.js';

/** Import and export, in a part of the application of their own. */
export async function files(app: FastifyInstance): Promise<void> {
  // The body stays a stream, which the library reads at its own pace; any other type is refused.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('text/csv', (_request, body, done) => done(null, body));

  app.post<{ Querystring: { dryRun?: 'true' | 'false'; delimiter?: string } }>(
    '/resellers/import',
    {
      schema: {
        querystring: {
          type: 'object',
          properties: {
            dryRun: { type: 'string', enum: ['true', 'false'] },
            // The library's refusal of anything longer is a TypeError, as for a mistake of ours.
            delimiter: { type: 'string', pattern: '^[\\x00-\\x7f]$' },
          },
          additionalProperties: false,
        },
      },
    },
    async (request, reply) => {
      const answers = new PassThrough();
      let begin = () => {};
      const begun = new Promise<void>((resolve) => (begin = resolve));
      const running = agencyOf(request).importCsv(request.raw, {
        dryRun: request.query.dryRun === 'true',
        delimiter: request.query.delimiter,
        signal: signalOf(request),
        each: (row) => {
          // This does not wait until the client has read it: one that sends all of its file first
          // would never read it, and both would wait for ever.
          answers.write(`${toJson(row)}\n`);
          begin();
        },
      });
      // What is wrong with the file as a whole is known before the first row, and is an error like any
      // other. After it the status is sent, so the last line says how it ended.
      await Promise.race([begun, running]);
      running.then(
        (report) => answers.end(`${toJson({ report })}\n`),
        (error: unknown) => {
          if (isGone(request)) {
            request.log.info('the client went away');
            answers.destroy();
            return;
          }
          const answer = answerOf(error);
          logError(request.log, error, answer.status);
          answers.end(`${toJson({ error: answer.error })}\n`);
        },
      );
      return reply.type('application/x-ndjson').send(answers);
    },
  );

  app.get<{ Querystring: QueryText }>(
    '/resellers/export',
    { schema: { querystring: { type: 'object', properties: queryText, additionalProperties: false } } },
    async (request, reply) => {
      const file = new PassThrough();
      // An error before the first byte is answered like any other; after it, all that is left is to
      // break the connection off, so that nobody takes half a file for a whole one.
      agencyOf(request)
        .exportCsv(file, queryOf(request.query), { signal: signalOf(request) })
        .then(
          () => file.end(),
          (error: unknown) => file.destroy(error instanceof Error ? error : new Error(String(error))),
        );
      return reply
        .type('text/csv; charset=utf-8')
        .header('content-disposition', 'attachment; filename="resellers.csv"')
        .send(file);
    },
  );
}
