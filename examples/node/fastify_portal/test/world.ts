/** A real server in a process of its own, and requests to it. */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { type IncomingHttpHeaders, request as httpRequest } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';

/** The tokens of two agencies, and of their metering services. */
export const tokens = {
  northwind: 'northwind-staff-token',
  contoso: 'contoso-staff-token',
  northwindMeter: 'northwind-meter-token',
  contosoMeter: 'contoso-meter-token',
} as const;

export const password = 'plain teal walrus 94 umbrella';
export const otherPassword = 'nine quiet lamps under 7 bridges';

/** A line of the server's log. */
export interface Line {
  readonly msg?: string;
  readonly [name: string]: unknown;
}

/** What came back. */
export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  /** The body, if it is JSON; tests say what they expect in it. */
  readonly json: any;
}

export interface Asked {
  readonly token?: string;
  readonly host?: string;
  readonly cookie?: string | undefined;
  readonly headers?: Readonly<Record<string, string>>;
  readonly json?: unknown;
  readonly form?: Readonly<Record<string, string>>;
  readonly csv?: string | Readable;
}

/** A folder for a store, which outlives a server. */
export function folder(): { readonly path: string; readonly store: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), 'fastify-portal-'));
  return { path, store: `sqlite:${join(path, 'portal.db')}`, remove: () => rmSync(path, { recursive: true }) };
}

export const main = fileURLToPath(new URL('../src/main.js', import.meta.url));

export const environment = {
  PORTAL_STAFF_TOKENS: `northwind=${tokens.northwind},contoso=${tokens.contoso}`,
  PORTAL_METER_TOKENS: `northwind=${tokens.northwindMeter},contoso=${tokens.contosoMeter}`,
  PORTAL_PORT: '0',
  PORTAL_LOG_LEVEL: 'debug',
};

export class Server {
  readonly lines: Line[] = [];
  readonly #process: ChildProcessByStdio<null, Readable, null>;
  readonly #ended: Promise<unknown[]>;
  #port = 0;
  #told = () => {};

  private constructor(store: string, more: Record<string, string>) {
    const env = { ...process.env, ...environment, PORTAL_STORE: store, ...more };
    this.#process = spawn(process.execPath, [main], { env, stdio: ['ignore', 'pipe', 'inherit'] });
    this.#ended = once(this.#process, 'close');
    createInterface(this.#process.stdout)
      .on('line', (line) => {
        this.lines.push(JSON.parse(line) as Line);
        this.#told();
      })
      .on('close', () => this.#told());
  }

  /** Starts a server, and waits until it listens. */
  static async start(store: string, more: Record<string, string> = {}): Promise<Server> {
    const server = new Server(store, more);
    const line = await server.logged(({ msg }) => msg?.startsWith('Server listening at ') ?? false);
    server.#port = Number(new URL(line.msg!.slice('Server listening at '.length)).port);
    return server;
  }

  get port(): number {
    return this.#port;
  }

  /** The first line of the log that is meant, once it is there. */
  async logged(isMeant: (line: Line) => boolean, count = 1): Promise<Line> {
    for (;;) {
      const found = this.lines.filter(isMeant)[count - 1];
      if (found !== undefined) return found;
      if (this.#process.stdout.readableEnded) throw new Error('the server has ended, and has not said it');
      await new Promise<void>((resolve) => (this.#told = resolve));
    }
  }

  /** Tells the server to end. */
  tell(signal: NodeJS.Signals): void {
    this.#process.kill(signal);
  }

  /** The code and the signal with which the server ended. */
  async ended(): Promise<unknown[]> {
    return this.#ended;
  }

  /** Ends the server as an operator does. */
  async stop(): Promise<unknown[]> {
    this.tell('SIGTERM');
    return this.ended();
  }

  async ask(method: string, path: string, asked: Asked = {}): Promise<Answer> {
    const headers: Record<string, string> = { ...asked.headers };
    if (asked.token !== undefined) headers['authorization'] = `Bearer ${asked.token}`;
    if (asked.host !== undefined) headers['host'] = asked.host;
    if (asked.cookie !== undefined) headers['cookie'] = asked.cookie;
    let body: string | Readable | undefined;
    if (asked.json !== undefined) {
      headers['content-type'] = 'application/json';
      body = JSON.stringify(asked.json);
    } else if (asked.form !== undefined) {
      headers['content-type'] = 'application/x-www-form-urlencoded';
      headers['accept'] ??= 'text/html';
      body = new URLSearchParams(asked.form).toString();
    } else if (asked.csv !== undefined) {
      headers['content-type'] ??= 'text/csv';
      body = asked.csv;
    }
    const sent = httpRequest({ host: '127.0.0.1', port: this.#port, method, path, headers, agent: false });
    const received = new Promise<Answer>((resolve, reject) => {
      sent.on('error', reject).on('response', (response) => {
        const parts: Buffer[] = [];
        response
          .on('error', reject)
          .on('data', (part: Buffer) => parts.push(part))
          .on('end', () => {
            const text = Buffer.concat(parts).toString();
            const isJson = response.headers['content-type']?.startsWith('application/json') === true;
            const json: unknown = isJson ? JSON.parse(text) : undefined;
            resolve({ status: response.statusCode ?? 0, headers: response.headers, text, json });
          });
      });
    });
    if (body instanceof Readable) body.pipe(sent);
    else sent.end(body);
    return received;
  }

  /** Creates a reseller, and answers with its record. */
  async create(token: string, loginDomain: string, more: object = {}): Promise<{ id: string; version: number }> {
    const answer = await this.ask('POST', '/agency/resellers', { token, json: draft(loginDomain, more) });
    if (answer.status !== 201) throw new Error(answer.text);
    return answer.json;
  }

  /** Signs a reseller in, and answers with the cookie as a browser sends it back. */
  async signIn(loginDomain: string, secret = password): Promise<string> {
    const json = { email: `owner@${loginDomain}.example`, password: secret };
    const answer = await this.ask('POST', '/sign-in', { host: hostOf(loginDomain), json });
    if (answer.status !== 200) throw new Error(answer.text);
    return cookieOf(answer)!;
  }
}

/** The form of a reseller that is right. */
export function draft(loginDomain: string, more: object = {}): Record<string, unknown> {
  return {
    partnerType: 'own_plans',
    name: `${loginDomain} Télécom`,
    email: `owner@${loginDomain}.example`,
    phone: ['US', '(415) 555-2671'],
    password,
    passwordConfirmation: password,
    contact: { name: 'Ann Lee', email: 'ann@lee.example', phone: '+49 30 901820' },
    loginDomain,
    ...more,
  };
}

/** The host at which a reseller signs in. */
export function hostOf(loginDomain: string): string {
  return `${loginDomain}.partner.localhost`;
}

/** The cookie that an answer sets, as a browser sends it back; undefined if it sets none, or clears it. */
export function cookieOf(answer: Answer): string | undefined {
  const pair = answer.headers['set-cookie']?.[0]?.split(';', 1)[0];
  return pair === 'portal=' ? undefined : pair;
}

export const csvHead =
  'partner_type,name,email,phone,contact_name,contact_email,contact_phone,login_domain,metadata\n';

/** A row of a file that is right, as long as nobody has the login domain. */
export function csvRow(loginDomain: string, metadata = ''): string {
  const cells = [
    'own_plans',
    `${loginDomain} Ltd`,
    `owner@${loginDomain}.example`,
    '+49 30 901820',
    'Ann Lee',
    'ann@lee.example',
    '+49 30 901820',
    loginDomain,
    metadata,
  ];
  return `${cells.join(',')}\n`;
}

/** Login domains that nobody reserves: letters that count. */
export function label(number: number): string {
  return `zq${number.toString().replace(/[0-9]/g, (digit) => 'abcdefghij'[Number(digit)]!)}`;
}

/** The lines of an answer, each of them JSON. */
export function linesOf(answer: Answer): any[] {
  return answer.text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
}
