import { ApiError } from './errors.ts';
import type { KubernetesObject } from './object.ts';
import type { AdmissionController } from './operations.ts';
import type { Store } from './store.ts';

const KIND = 'VirtualMachineInstanceMigration';
const VMI_NAME = 'kubevirt.io/vmi-name';

type Migration = KubernetesObject & { spec?: { vmiName?: string }; status?: { phase?: string } };

/**
 * KubeVirt's validating webhook for VMIMs, as far as it denies a second one while another of the same VMI is in flight. It
 * finds that one by its label. Those who write VMIMs here need no server of KubeVirt's own for it.
 */
export function denySecondMigration(store: Store): AdmissionController {
  return ({ operation, resource, object }) => {
    if (operation !== 'CREATE' || resource.kind !== KIND) return object;
    const { namespace } = object.metadata;
    const vmiName = (object as Migration).spec?.vmiName;
    const isOfVmi = ({ metadata }: KubernetesObject) =>
      metadata.namespace === namespace && metadata.labels?.[VMI_NAME] === vmiName;
    const isFinal = ({ status }: Migration) => status?.phase === 'Succeeded' || status?.phase === 'Failed';
    const inFlight = store.list(resource, isOfVmi).find((one) => !isFinal(one));
    if (inFlight === undefined) return object;
    throw new ApiError(
      400,
      'BadRequest',
      'admission webhook "migration-create-validator.kubevirt.io" denied the request: in-flight migration detected. ' +
        `Active migration job (${inFlight.metadata.uid}) is currently already in progress for VMI ${vmiName}.`,
    );
  };
}
