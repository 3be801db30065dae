import { createFileRegistry, fromJson } from '@bufbuild/protobuf';
import { FileDescriptorProtoSchema, file_google_protobuf_struct } from '@bufbuild/protobuf/wkt';

const field = (name: string, number: number) => ({ name, jsonName: name, number, label: 'LABEL_OPTIONAL' });
const text = (name: string, number: number) => ({ ...field(name, number), type: 'TYPE_STRING' });

/**
 * CEL constructs protobuf messages, so `JSONPatch{op: …, path: …, value: …}` has to be one:
 * https://kubernetes.io/docs/reference/access-authn-authz/mutating-admission-policy/
 */
const file = fromJson(FileDescriptorProtoSchema, {
  name: 'json-patch.proto',
  syntax: 'proto3',
  dependency: ['google/protobuf/struct.proto'],
  messageType: [
    {
      name: 'JSONPatch',
      field: [
        text('op', 1),
        text('path', 2),
        text('from', 3),
        { ...field('value', 4), type: 'TYPE_MESSAGE', typeName: '.google.protobuf.Value' },
      ],
    },
  ],
});

/** Registry that knows the message `JSONPatch`. */
export const jsonPatchTypes = createFileRegistry(file, () => file_google_protobuf_struct);
