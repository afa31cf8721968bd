// The work that every contender does on the same rows.

/** How many resellers and events there are. */
export const RESELLERS = Number(process.env.RESELLERS ?? 20_000);
export const EVENTS = Number(process.env.EVENTS ?? 100_000);

const WORDS = [
  'Acme',
  'Globex',
  'Initech',
  'Umbrella',
  'Stark',
  'Wayne',
  'Aperture',
  'Tyrell',
  'Soylent',
  'Cyberdyne',
];
const KINDS = [
  'Telecom',
  'Société',
  'Networks',
  'Energy',
  'Logistics',
  'Systems',
  'Media',
  'Foods',
  'Bank',
  'Labs',
];
const PLACES = [
  'Berlin',
  'Łódź',
  'Paris',
  'Austin',
  'Kyoto',
  'Lagos',
  'Lima',
  'Oslo',
  'Quito',
  'Zürich',
];

/** A label of letters: 27 is `bb`. */
export function label(n) {
  let text = '';
  for (let rest = n + 1; rest > 0; rest = Math.floor((rest - 1) / 26)) {
    text = String.fromCharCode(97 + ((rest - 1) % 26)) + text;
  }
  return `r${text}`;
}

/** The form of a reseller. */
export function form(n) {
  const [word, kind, place] = [n % 10, Math.floor(n / 10) % 10, Math.floor(n / 100) % 10];
  return {
    partnerType: n % 3 === 0 ? 'commission' : 'own_plans',
    name: `${WORDS[word]} ${KINDS[kind]} ${PLACES[place]} ${label(n)}`,
    email: `owner${n}@${label(n)}.example`,
    phone: '+14155552671',
    invite: true,
    contact: { name: 'Ann Lee', email: `ann${n}@contact.example`, phone: '+4930901820' },
    loginDomain: label(n),
    metadata: { tier: 'gold' },
  };
}

export const METRICS = ['messages', 'whatsapp_messages', 'whatsapp_conversations'];

/** A batch of events of the resellers with these ids. */
export function events(ids, from, count, at) {
  return Array.from({ length: count }, (_, i) => ({
    id: `evt-${from + i}`,
    reseller: ids[(from + i) % ids.length],
    metric: METRICS[(from + i) % METRICS.length],
    quantity: ((from + i) % 5) + 1,
    at,
  }));
}
