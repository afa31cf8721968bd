/** The core's name of a field as it is in JavaScript: `login_domain` is `loginDomain`. */
export function fieldName(name: string): string {
  return name.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}
