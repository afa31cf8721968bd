/** How errors are answered. */
import type { FastifyBaseLogger, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import {
  AbortedError,
  BusyError,
  ConflictError,
  type FieldError,
  PartnerKitError,
  ThrottledError,
} from 'partnerkit';
import { signalOf } from './signal.js';

/** A refusal of the application's own, beside those of the library. */
export class Refusal extends Error {
  constructor(
    readonly statusCode: number,
    readonly code: string,
    message: string,
    readonly headers: Readonly<Record<string, string>> = {},
  ) {
    super(message);
  }
}

/** What a client is told of an error. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly error: {
    /** A stable slug, for programs. */
    readonly code: string;
    /** In English, for people. */
    readonly message: string;
    /** Every refused field of a form. */
    readonly fields?: readonly FieldError[];
    /** The version to read again and to decide anew on, if the expected one is stale. */
    readonly currentVersion?: number;
  };
}

/** What a client is told of an error: the one place that knows every kind of it. */
export function answerOf(error: unknown): Answer {
  if (error instanceof PartnerKitError) {
    const status = error.httpStatus;
    return {
      status,
      headers: retryAfter(error),
      error: {
        code: error.code,
        // What is wrong inside is for the log; a client could do nothing with it.
        message: status < 500 ? error.message : inside(status),
        ...(error.fields.length > 0 && { fields: error.fields }),
        ...(error instanceof ConflictError &&
          error.currentVersion !== null && { currentVersion: error.currentVersion }),
      },
    };
  }
  if (error instanceof Refusal) {
    const { statusCode: status, headers, code, message } = error;
    return { status, headers, error: { code, message } };
  }
  // Fastify's own: a body that is no JSON or too large, a parameter of another shape.
  const status = error instanceof Error && 'statusCode' in error ? Number(error.statusCode) : 500;
  if (error instanceof Error && status >= 400 && status < 500) {
    return { status, headers: {}, error: { code: 'bad_request', message: error.message } };
  }
  return { status: 500, headers: {}, error: { code: 'internal', message: inside(500) } };
}

function inside(status: number): string {
  return status === 503 ? 'busy; the same request may succeed later' : 'something went wrong here';
}

function retryAfter(error: PartnerKitError): Record<string, string> {
  // The header has whole seconds; rounding down would invite a client a moment too early.
  if (error instanceof ThrottledError) return { 'retry-after': String(Math.ceil(error.retryAfter / 1_000)) };
  // Only these two say that nothing was done. After an unknown outcome a client must look first,
  // so it is not told to repeat.
  if (error instanceof BusyError || error instanceof AbortedError) return { 'retry-after': '1' };
  return {};
}

/** Whether nobody waits for the answer any more. */
export function isGone(request: FastifyRequest): boolean {
  return signalOf(request).aborted;
}

/** Logs what the operator has to know of an error that a request ended with. */
export function logError(log: FastifyBaseLogger, error: unknown, status: number): void {
  if (status === 503) log.warn({ err: error }, 'a request has to wait');
  else if (status >= 500) log.error({ err: error }, 'a request failed');
}

/** Sends an error as JSON. */
export function sendError(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  if (isGone(request)) {
    // Nothing can be sent. The status is nginx's, so that such requests do not look like failures.
    request.log.info('the client went away');
    return reply.code(499).send();
  }
  const answer = answerOf(error);
  logError(request.log, error, answer.status);
  return reply
    .code(answer.status)
    .removeHeader('content-disposition') // of a download that was about to begin
    .headers(answer.headers)
    .type('application/json; charset=utf-8')
    .send({ error: answer.error });
}

/** Answers every error of every route as JSON, unless a part of the application answers otherwise. */
export function handleErrors(app: FastifyInstance): void {
  app.setErrorHandler(sendError);
  app.setNotFoundHandler((request, reply) =>
    sendError(new Refusal(404, 'not_found', 'no such page'), request, reply),
  );
}
