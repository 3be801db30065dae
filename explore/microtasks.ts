import { setFlagsFromString } from 'node:v8';

setFlagsFromString('--allow-natives-syntax');
const checkpoint = new Function('%PerformMicrotaskCheckpoint()') as () => void;
setFlagsFromString('--no-allow-natives-syntax');

/**
 * Lets every function run until it waits for a request, or has answered. To be called from outside of any promise's
 * callback, where it would do nothing: see `outsideOfPromises`.
 */
export function runMicrotasks(): void {
  checkpoint();
}

/** Calls `act` where `runMicrotasks` works. */
export function outsideOfPromises<Result>(act: () => Result): Promise<Result> {
  return new Promise((resolve, reject) => {
    setImmediate(() => {
      try {
        resolve(act());
      } catch (error) {
        reject(error);
      }
    });
  });
}
