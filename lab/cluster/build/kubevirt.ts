import { chmod, cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { run } from '../../testbed/command.ts';
import { goModule } from '../go-sources.ts';
import { BUILD_LOGS, CACHE, cached } from './cached.ts';
import { hasDummyDevice } from './dummy-device.ts';
import { runInTree } from './tree.ts';
import { treeFor } from './trees.ts';

const PINS = fileURLToPath(new URL('../go/kubevirt', import.meta.url));
const MODULE = 'kubevirt.io/kubevirt';
const GO = { PATH: `${process.env.PATH}:/usr/local/go/bin`, GOFLAGS: '-mod=readonly', GOWORK: 'off' };
const VERSION_PACKAGE = 'kubevirt.io/client-go/version';

/** KubeVirt's programs and what of its sources goes into its images. */
export interface KubeVirtBuild {
  readonly version: string;
  /** Folder of the programs; `operator.yaml` in there is what virt-operator needs before it can run. */
  readonly programs: string;
  /** Folder of the module. */
  readonly sources: string;
  /** What of it is not as KubeVirt has it, in words. */
  readonly change?: string;
}

/**
 * KubeVirt's bridge binding parks the address of a VM's pod on a device of type dummy. Where the kernel has none, it is
 * an empty bridge instead: it too keeps an address that no frame reaches.
 */
const CHANGE = {
  file: 'pkg/network/setup/netpod/netpod.go',
  from: 'TypeName:   nmstate.TypeDummy',
  to: 'TypeName:   nmstate.TypeBridge',
  inWords: "virt-handler's bridge binding parks a pod's address on an empty bridge: this kernel has no dummy device",
};

/** KubeVirt's own generator of what has to be applied before its operator can run. */
const GENERATE = `for type in kv priorityclass operator-rbac
  do echo ---; /out/resource-generator --type=$type --namespace=kubevirt; done >/out/operator.yaml`;

const log = join(BUILD_LOGS, 'kubevirt.log');

/**
 * Builds KubeVirt with cgo, in the system whose libvirt its launcher runs.
 *
 * @throws Error when the change that a kernel without dummy device needs does not fit this KubeVirt
 */
export async function buildKubeVirt(onProgress: (step: string) => void): Promise<KubeVirtBuild> {
  const builder = await treeFor('builder', onProgress);
  const version = await run('go', ['-C', PINS, 'list', '-m', '-f', '{{.Version}}', MODULE], GO);
  const sources = await goModule('kubevirt', MODULE);
  const isChanged = !(await hasDummyDevice());
  const pins = await Promise.all(['go.mod', 'go.sum'].map((name) => readFile(join(PINS, name), 'utf8')));
  const go = await run('go', ['env', 'GOVERSION'], GO);
  const change = isChanged ? CHANGE.inWords : undefined;
  const programs = await cached('kubevirt', [pins, go, builder.layers, isChanged && CHANGE], async (folder) => {
    onProgress(
      `building KubeVirt ${version} in Debian's trixie, which takes 10 minutes or more when nothing of it is built yet`,
    );
    await run('go', ['-C', PINS, 'mod', 'download'], GO);
    const module = join(CACHE, 'kubevirt-module');
    await mkdir(module, { recursive: true });
    for (const [index, name] of ['go.mod', 'go.sum'].entries()) await writeFile(join(module, name), pins[index]!);
    const binds: Record<string, string> = { [module]: '/module', [folder]: '/out' };
    if (isChanged) {
      onProgress(CHANGE.inWords);
      binds[await changedSources(sources)] = '/kubevirt';
      await run('go', ['-C', module, 'mod', 'edit', '-replace', `${MODULE}=/kubevirt`], GO);
    }
    const [goRoot, modules, builds] = (await run('go', ['env', 'GOROOT', 'GOMODCACHE', 'GOCACHE'], GO)).split('\n');
    await mkdir(builds!, { recursive: true });
    Object.assign(binds, { [goRoot!]: '/go', [modules!]: '/modules', [builds!]: '/builds' });
    const packages = pins[0]!
      .match(/^tool \S+$|^\t\S+\/(?:cmd|tools)\/\S+$/gm)!
      .map((line) => line.replace(/^tool |^\t/, ''));
    await runInTree(
      builder,
      ['/go/bin/go', '-C', '/module', 'build', '-o', '/out/', '-ldflags', linkerFlags(version), ...packages],
      {
        log,
        binds,
        environment: {
          ...{
            HOME: '/tmp',
            GOMODCACHE: '/modules',
            GOCACHE: '/builds',
            CGO_ENABLED: '1',
            GOTOOLCHAIN: 'local',
            GOWORK: 'off',
          },
          // All modules are there already.
          ...{ GOPROXY: 'off', GOFLAGS: '-mod=mod -trimpath -buildvcs=false' },
        },
      },
    );
    const containerDisk = join(sources, 'cmd/container-disk-v2alpha/main.c');
    await runInTree(builder, ['gcc', '-static', '-O2', '-o', '/out/container-disk', '/main.c'], {
      log,
      binds: { [containerDisk]: '/main.c', [folder]: '/out' },
    });
    await runInTree(builder, ['sh', '-ec', GENERATE], { log, binds: { [folder]: '/out' } });
  });
  return { version, programs, sources, ...(change !== undefined && { change }) };
}

/** A copy of the module: Go builds nothing of its cache that differs from the module's sum. */
async function changedSources(sources: string): Promise<string> {
  return cached('kubevirt-sources', [sources, CHANGE], async (folder) => {
    await cp(sources, folder, { recursive: true });
    const file = join(folder, CHANGE.file);
    const text = await readFile(file, 'utf8');
    if (!text.includes(CHANGE.from)) throw new Error(`KubeVirt's ${CHANGE.file} is not what the change is made for.`);
    await chmod(file, 0o644);
    await writeFile(file, text.replaceAll(CHANGE.from, CHANGE.to));
  });
}

/** KubeVirt's parts compare each other's versions, and do not work with any other. */
function linkerFlags(version: string): string {
  const values = { gitVersion: version, gitCommit: version, gitTreeState: 'clean', buildDate: '1970-01-01T00:00:00Z' };
  return ['-s', '-w', ...Object.entries(values).map(([name, value]) => `-X ${VERSION_PACKAGE}.${name}=${value}`)].join(
    ' ',
  );
}
