import { inspect } from 'node:util';

/**
 * The record, whose text for debugging (`console.log`, `util.inspect`) does not show one of its
 * fields. The field itself is like any other: JSON and a copy have it.
 */
export function concealing<T extends object>(field: keyof T, record: T): T {
  const shown = (): object => ({ ...record, [field]: '[hidden]' });
  return Object.defineProperty(record, inspect.custom, { value: shown, enumerable: false });
}
