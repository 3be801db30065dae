/** Serves the module that the first argument names, at FUNC_PORT. */
import { pathToFileURL } from 'node:url';
import { jsonLog } from '../../../../functions/server/log.ts';
import { serve } from '../../../../functions/server/serve.ts';

const module = await import(pathToFileURL(process.argv[2]!).href);
const { FUNC_PORT, FUNC_LOG_LEVEL = 'info' } = process.env;
await serve(module, {
  name: 'under-test',
  port: Number(FUNC_PORT),
  log: jsonLog(FUNC_LOG_LEVEL as 'info'),
  maxBytes: 1024 * 1024,
  drainMs: 10_000,
});
