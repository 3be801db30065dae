/** What a package has in `test/pack/trial.ts`: how a stranger tries it in an empty folder, beside `use.ts` and `use.cjs` there. */
export interface Trial {
  /** Installed beside the package. */
  readonly dependencies: readonly string[];
  /** Puts files there, by what the package installed. */
  prepare?(folder: string): void;
  /** Starts what the programs talk to. */
  start?(): Promise<Surroundings>;
}

export interface Surroundings extends AsyncDisposable {
  /** For `use.ts` and `use.cjs`. */
  readonly env: NodeJS.ProcessEnv;
  /** What an example of the README is, with an address that is there. */
  example(program: string): string;
}
