import { basename, join } from 'node:path';
import {
  Application,
  type Comment,
  type DeclarationReflection,
  ReflectionKind,
  type SomeType,
  TSConfigReader,
  TypeDocReader,
} from 'typedoc';
import { manifestOf } from '../pack/package.ts';

/** Something that a package exports, and what its TSDoc says. */
export interface PublicName {
  readonly name: string;
  /** The entry point that exports it, as one imports it. */
  readonly from: string;
  readonly isType: boolean;
  /** Code of its examples, without the fences. */
  readonly examples: readonly string[];
  /** What the API reference leaves open. */
  readonly missing: readonly string[];
}

/** What a number counts, in its name or in what is said of it. */
const UNIT =
  /(ms|seconds?|milliseconds?|bytes|count|attempts|times|number|index|status|code|port|priority|version|size)\b/i;

/** What a package exports, converted by its typedoc.json. */
export async function publicNames(directory: string): Promise<readonly PublicName[]> {
  const options = { options: join(directory, 'typedoc.json'), tsconfig: join(directory, 'tsconfig.build.json') };
  const application = await Application.bootstrap({ ...options, logLevel: 'Error' }, [
    new TypeDocReader(),
    new TSConfigReader(),
  ]);
  const project = await application.convert();
  if (project === undefined) throw new Error(`typedoc cannot convert ${directory}`);
  const { name } = manifestOf(directory);
  const modules = project.getChildrenByKind(ReflectionKind.Module);
  // Of a single entry point the names are the project's own.
  return (modules.length === 0 ? [project] : modules).flatMap((module) => {
    const from = module === project || module.name === 'index' ? name : `${name}/${basename(module.name)}`;
    return (module.children ?? []).map((child) => publicName(child, from));
  });
}

function publicName(reflection: DeclarationReflection, from: string): PublicName {
  const comments = commentsOf(reflection);
  const blocks = comments.flatMap(({ blockTags }) => blockTags);
  const said = (tag: string) => blocks.filter((block) => block.tag === tag).map(({ content }) => textOf(content));
  const isFunction = reflection.kindOf(ReflectionKind.Function);
  const summaries = comments.map(({ summary }) => textOf(summary)).filter(Boolean);
  const missing = [
    summaries.length === 0 && 'what it is',
    said('@example').length === 0 && 'an example',
    isFunction && said('@throws').length === 0 && 'which errors it throws (@throws)',
    said('@see').length === 0 && 'the source of its rules (@see)',
    ...unitless(reflection).map((where) => `the unit of ${where}`),
  ];
  return {
    name: reflection.name,
    from,
    isType: reflection.kindOf([ReflectionKind.Interface, ReflectionKind.TypeAlias]),
    examples: said('@example').flatMap((text) => [...text.matchAll(/```ts\n(.*?)```/gs)].map(([, code]) => code!)),
    missing: missing.filter((each) => each !== false),
  };
}

/** A function has its comment at its signatures. */
function commentsOf(reflection: DeclarationReflection): Comment[] {
  return [reflection.comment, ...(reflection.signatures ?? []).map(({ comment }) => comment)].filter(
    (comment) => comment !== undefined,
  );
}

function textOf(parts: readonly { readonly text: string }[]): string {
  return parts
    .map(({ text }) => text)
    .join('')
    .trim();
}

/** Fields, parameters and results that are numbers of nobody knows what. */
function unitless(reflection: DeclarationReflection): string[] {
  const fields = (reflection.children ?? []).filter(({ type }) => isNumber(type));
  const signatures = reflection.signatures ?? [];
  const parameters = signatures.flatMap(({ parameters = [] }) => parameters.filter(({ type }) => isNumber(type)));
  const results = signatures.filter(({ type }) => isNumber(type));
  return [...fields, ...parameters, ...results]
    .filter(({ name, comment }) => !UNIT.test(`${name} ${textOf(comment?.summary ?? [])}`))
    .map(({ name }) => name);
}

function isNumber(type: SomeType | undefined): boolean {
  return type !== undefined && /\bnumber\b/.test(type.toString()) && !/\{|=>/.test(type.toString());
}
