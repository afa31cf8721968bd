/** The pages that a reseller sees. */
import { createHash } from 'node:crypto';
import type { Metric, Reseller } from 'partnerkit';

/** Text that is HTML already. */
class Html {
  constructor(readonly text: string) {}
}

/** HTML, in which everything that is put in is text unless it is HTML itself. */
function html(parts: TemplateStringsArray, ...values: readonly (string | Html | readonly Html[])[]): Html {
  const shown = (value: string | Html | readonly Html[]): string => {
    if (typeof value === 'string') return value.replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);
    return value instanceof Html ? value.text : value.map(shown).join('');
  };
  return new Html(parts.map((part, at) => part + (at < values.length ? shown(values[at]!) : '')).join(''));
}

const style = `
  :root { color-scheme: light dark; --ink: #1c2430; --soft: #5d6878; --line: #d5dbe3; --paper: #fff;
    --ground: #f2f4f7; --act: #1f5fd0; --bad: #a31621; --bad-ground: #fdecec; --good-ground: #e8f4ec; }
  @media (prefers-color-scheme: dark) { :root { --ink: #e8ebf0; --soft: #a2adbb; --line: #3a4454;
    --paper: #1d232d; --ground: #12161d; --act: #6c9dff; --bad: #ffb0b0; --bad-ground: #43191c;
    --good-ground: #17331f; } }
  * { box-sizing: border-box; }
  body { margin: 0; min-height: 100vh; padding: 8vh 1rem 2rem; background: var(--ground); color: var(--ink);
    font: 1rem/1.5 system-ui, sans-serif; }
  main { max-width: 26rem; margin: 0 auto; padding: 2rem; background: var(--paper);
    border: 1px solid var(--line); border-radius: .75rem; }
  h1 { margin: 0; font-size: 1.5rem; line-height: 1.25; overflow-wrap: anywhere; }
  h2 { margin: 2rem 0 0; font-size: 1.1rem; }
  p { margin: .25rem 0 0; color: var(--soft); }
  form { margin-top: 1.5rem; display: grid; gap: 1rem; }
  label { display: grid; gap: .3rem; font-weight: 600; }
  input { width: 100%; padding: .6rem .7rem; font: inherit; font-weight: 400; color: inherit; background: var(--ground);
    border: 1px solid var(--line); border-radius: .4rem; }
  button { padding: .65rem 1rem; font: inherit; font-weight: 600; color: var(--paper); background: var(--act);
    border: 1px solid var(--act); border-radius: .4rem; cursor: pointer; }
  button.quiet { color: var(--act); background: none; }
  input:focus-visible, button:focus-visible { outline: 2px solid var(--act); outline-offset: 2px; }
  .note { margin-top: 1.25rem; padding: .6rem .8rem; border-radius: .4rem; color: inherit;
    background: var(--good-ground); }
  .note.bad { color: var(--bad); background: var(--bad-ground); }
  table { width: 100%; margin-top: .75rem; border-collapse: collapse; font-variant-numeric: tabular-nums; }
  th, td { padding: .45rem 0; text-align: left; font-weight: 400; border-bottom: 1px solid var(--line); }
  table + p { margin-top: .6rem; }
  td { text-align: right; }
  .row { display: flex; flex-wrap: wrap; gap: .75rem; margin-top: 2rem; }
  .row form { margin: 0; }
`;

/** What a browser may do with the pages: nothing but show them and send their forms back. */
export const pagePolicy = [
  "default-src 'none'",
  `style-src 'sha256-${createHash('sha256').update(style).digest('base64')}'`,
  "form-action 'self'",
  "frame-ancestors 'none'",
  "base-uri 'none'",
].join('; ');

/** Something to tell above a form. */
export interface Note {
  readonly text: string;
  readonly bad?: boolean;
}

function page(title: string, content: Html): string {
  return html`<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<style>${new Html(style)}</style>
<main>
${content}
</main>
</html>
`.text;
}

function noteOf(note: Note | undefined): Html {
  if (note === undefined) return new Html('');
  return note.bad === true
    ? html`<p class="note bad" role="alert">${note.text}</p>`
    : html`<p class="note" role="status">${note.text}</p>`;
}

export function signInPage(name: string, email: string, note?: Note): string {
  return page(
    `Sign in – ${name}`,
    html`<h1>${name}</h1>
<p>Sign in to your account.</p>
${noteOf(note)}
<form method="post" action="/sign-in">
  <label>Email <input name="email" type="email" autocomplete="username" value="${email}" required></label>
  <label>Password <input name="password" type="password" autocomplete="current-password" required></label>
  <button>Sign in</button>
</form>`,
  );
}

/** What a reseller has used of one metric. */
export interface Used {
  readonly metric: Metric;
  readonly used: bigint;
  readonly limit: bigint | null;
  readonly resetsAt: Date;
}

const metricNames: Readonly<Record<Metric, string>> = {
  messages: 'Messages',
  whatsapp_messages: 'WhatsApp messages',
  whatsapp_conversations: 'WhatsApp conversations',
  team_members: 'Team members',
};

const count = new Intl.NumberFormat('en');

/** The own page; days are those of the agency's time zone, by whose calendar the periods go. */
export function ownPage(reseller: Reseller, usage: readonly Used[], timeZone: string, note?: Note): string {
  const day = new Intl.DateTimeFormat('en', { dateStyle: 'long', timeZone });
  const rows = usage.map(
    ({ metric, used, limit }) => html`
  <tr><th scope="row">${metricNames[metric]}</th>
    <td>${count.format(used)}${limit === null ? '' : ` of ${count.format(limit)}`}</td></tr>`,
  );
  const until = usage[0]?.resetsAt;
  return page(
    reseller.name,
    html`<h1>${reseller.name}</h1>
<p>${reseller.email}</p>
${noteOf(note)}
<h2>Used this month</h2>
<table>${rows}
</table>
${until === undefined ? '' : html`<p>A new month begins on ${day.format(until)}.</p>`}
<h2>Change the password</h2>
<form method="post" action="/password">
  <input type="hidden" name="username" autocomplete="username" value="${reseller.email}">
  <label>Current password <input name="current" type="password" autocomplete="current-password" required></label>
  <label>New password <input name="password" type="password" autocomplete="new-password" required></label>
  <label>New password again
    <input name="passwordConfirmation" type="password" autocomplete="new-password" required></label>
  <button>Change it</button>
</form>
<div class="row">
  <form method="post" action="/sign-out"><button class="quiet">Sign out</button></form>
  <form method="post" action="/sign-out/everywhere"><button class="quiet">Sign out everywhere</button></form>
</div>`,
  );
}

export function messagePage(title: string, text: string): string {
  return page(title, html`<h1>${title}</h1>
<p>${text}</p>`);
}
