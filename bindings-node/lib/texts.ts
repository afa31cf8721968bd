/** What is given where the core has a type of its own. */

/**
 * One of these texts, in what comes from outside: the form of a reseller, an event. Any other text is taken,
 * too, so that a request's can be given as it is; the library refuses what it does not know, and names the
 * field. Queries and arguments, which a program writes, take only the texts that there are.
 */
export type Slug<Known extends string> = Known | (string & {});

/**
 * An instant as it is given: a `Date`, or a text in RFC 3339 (`2026-03-15T12:00:00Z`), whose offset is
 * required. A number is refused, because it might be seconds or milliseconds.
 */
export type Instant = Date | string;
