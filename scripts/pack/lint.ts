import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { run } from './package.ts';

/**
 * What others would trip over: entry points and types that cannot be resolved, by publint and by arethetypeswrong, and what
 * npm itself warns of. Both packages are ES modules alone, which `require()` of Node 22.12 and later takes too.
 */
export async function lint(directory: string, tarball: string): Promise<readonly string[]> {
  const { messages, pkg } = await publint({ pkgDir: directory, strict: true });
  const problems = messages.map((message) => `publint: ${formatMessage(message, pkg, { color: false })}`);
  try {
    run('attw', [tarball, '--profile', 'esm-only', '--format', 'ascii', '--no-color'], directory);
  } catch (error) {
    problems.push(`arethetypeswrong: ${(error as Error).message}`);
  }
  return [...problems, ...npmWarnings(directory)];
}

function npmWarnings(directory: string): readonly string[] {
  const args = ['publish', '--dry-run', '--ignore-scripts', '--offline', '--loglevel', 'warn'];
  const script = `npm ${args.join(' ')} 2>&1`;
  return run('sh', ['-c', script], directory)
    .split('\n')
    .filter((line) => /^npm (warn|error)/i.test(line) && !line.includes('requires you to be logged in'));
}
