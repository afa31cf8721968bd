/** What marks a name that there is not, which is told as it was given. */
const UNKNOWN = '\0';

/** The core's name of a field as it is in JavaScript: `login_domain` is `loginDomain`. */
export function fieldName(name: string): string {
  if (name.startsWith(UNKNOWN)) return name.slice(UNKNOWN.length);
  return name.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}
