/**
 * Whether the event loop looks for a result for a moment before it sleeps: to be woken takes longer than
 * most calls. It still does all its other work, turn by turn.
 */

import { performance } from 'node:perf_hooks';

/** For how long it looks, in milliseconds. */
const LOOK = 0.25;

/** The most calls in a row for which it does not look. */
const MOST = 64;

/** The time as it is now: a host's tests may replace it. */
const now = performance.now.bind(performance);

let until = 0;
let isOn = false;

/** For how many calls it does not look after the next time in vain: for calls that take long. */
let cost = 1;

/** For how many calls it still does not look. */
let leftOut = 0;

/** Says that a call has begun when no other was open, and whether the loop looks for its result. */
export function begins(): boolean {
  if (isOn) return false;
  if (leftOut > 0) {
    leftOut -= 1;
    return false;
  }
  isOn = true;
  until = now() + LOOK;
  return true;
}

/** Whether it looks again in the next turn. */
export function goesOn(): boolean {
  return isOn && now() < until;
}

/** Says that it looks no more, and whether it has found the result. */
export function ends(isFound: boolean): void {
  if (isOn) {
    isOn = false;
    leftOut = isFound ? 0 : cost;
    cost = isFound ? 1 : Math.min(cost * 2, MOST);
  }
}
