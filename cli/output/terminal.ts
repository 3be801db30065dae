import { styleText } from 'node:util';

/** Where a command writes, and how wide and colourful that may be. */
export interface Terminal {
  readonly columns: number;
  readonly hasColour: boolean;
  /** One or several lines for whoever asked. */
  print(text: string): void;
  /** What is going on meanwhile, beside the answer. */
  progress(text: string): void;
}

const DEFAULT_COLUMNS = 120;

/** The terminal of this process. Without one, as in a pipe, there is no colour; NO_COLOR and FORCE_COLOR count. */
export function processTerminal(env: NodeJS.ProcessEnv): Terminal {
  const { stdout } = process;
  const hasColour = env.FORCE_COLOR !== undefined ? env.FORCE_COLOR !== '0' : stdout.isTTY && !env.NO_COLOR;
  return {
    columns: Number(env.COLUMNS) || stdout.columns || DEFAULT_COLUMNS,
    hasColour: hasColour === true,
    print: (text) => void stdout.write(`${text}\n`),
    progress: (text) => void process.stderr.write(`${text}\n`),
  };
}

export type Colour = 'red' | 'yellow' | 'green' | 'dim' | 'bold';

export function paint({ hasColour }: Pick<Terminal, 'hasColour'>, colour: Colour, text: string): string {
  return hasColour ? styleText(colour, text, { validateStream: false }) : text;
}
