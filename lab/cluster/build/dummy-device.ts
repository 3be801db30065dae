import { run } from '../../testbed/command.ts';

/** Whether the kernel, with its modules, can make a network device of type dummy; tried where nobody sees it. */
export async function hasDummyDevice(): Promise<boolean> {
  return run('unshare', ['--net', 'ip', 'link', 'add', 'probe', 'type', 'dummy']).then(
    () => true,
    () => false,
  );
}
