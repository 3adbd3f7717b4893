import { createHash } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { parse, parseAllDocuments } from 'yaml';

/**
 * Renders a kustomization as `kustomize build` does, as far as deploy/kubernetes uses it, for machines without it. What is not
 * understood is refused.
 */
export interface KubernetesObject {
  apiVersion: string;
  kind: string;
  metadata: { name: string; namespace?: string; labels?: Record<string, string>; annotations?: Record<string, string> };
  // as it is in the files
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  [field: string]: any;
}

interface Kustomization {
  apiVersion: string;
  kind: string;
  namespace?: string;
  resources?: string[];
  images?: { name: string; newName: string; newTag: string }[];
  configMapGenerator?: {
    name: string;
    behavior?: 'create' | 'merge';
    literals: string[];
    options?: { labels?: Record<string, string> };
  }[];
  labels?: { pairs: Record<string, string>; includeTemplates?: boolean }[];
  patches?: { target: { kind: string; name?: string }; patch: string }[];
}

const KNOWN = ['apiVersion', 'kind', 'namespace', 'resources', 'images', 'configMapGenerator', 'labels', 'patches'];
/** They belong to no namespace. */
const CLUSTER_WIDE = ['Namespace'];

export function render(folder: string): KubernetesObject[] {
  return withHashes(build(folder));
}

function build(folder: string): KubernetesObject[] {
  const file = parse(readFileSync(join(folder, 'kustomization.yaml'), 'utf8')) as Kustomization;
  const unknown = Object.keys(file).filter((field) => !KNOWN.includes(field));
  if (unknown.length > 0) throw new Error(`${folder}: ${unknown.join(', ')} is not understood here: teach it`);
  const objects = (file.resources ?? []).flatMap((resource) => {
    const path = join(folder, resource);
    if (statSync(path).isDirectory()) return build(path);
    return parseAllDocuments(readFileSync(path, 'utf8')).map((document) => document.toJS() as KubernetesObject);
  });
  for (const generator of file.configMapGenerator ?? []) generate(objects, generator);
  for (const patch of file.patches ?? []) apply(objects, patch, folder);
  for (const { pairs, includeTemplates } of file.labels ?? [])
    for (const object of objects) {
      object.metadata.labels = { ...object.metadata.labels, ...pairs };
      const template = object['spec']?.template?.metadata;
      if (includeTemplates && template) template.labels = { ...template.labels, ...pairs };
    }
  for (const { name, newName, newTag } of file.images ?? [])
    for (const container of objects.flatMap(containersOf))
      if (container.image === name) container.image = `${newName}:${newTag}`;
  if (file.namespace !== undefined)
    for (const object of objects) if (!CLUSTER_WIDE.includes(object.kind)) object.metadata.namespace = file.namespace;
  return objects;
}

export function containersOf(object: KubernetesObject): { name: string; image: string }[] {
  return object['spec']?.template?.spec?.containers ?? [];
}

function generate(objects: KubernetesObject[], generator: NonNullable<Kustomization['configMapGenerator']>[0]): void {
  const { name, behavior = 'create', literals, options } = generator;
  const data = Object.fromEntries(literals.map((literal) => literal.split(/=(.*)/s).slice(0, 2) as [string, string]));
  const existing = objects.find(({ kind, metadata }) => kind === 'ConfigMap' && metadata.name === name);
  if (behavior === 'merge') {
    if (!existing) throw new Error(`there is no ConfigMap ${name} to merge with`);
    Object.assign(existing['data'] as object, data);
  } else objects.push({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, ...options }, data });
}

/** Patches of the form of RFC 6902 that replace what is there. */
function apply(
  objects: KubernetesObject[],
  { target, patch }: NonNullable<Kustomization['patches']>[0],
  where: string,
): void {
  const fitting = objects.filter(
    ({ kind, metadata }) => kind === target.kind && (target.name === undefined || metadata.name === target.name),
  );
  if (fitting.length === 0) throw new Error(`${where}: a patch finds no ${target.kind} ${target.name ?? ''}`);
  for (const { op, path, value } of parse(patch) as { op: string; path: string; value: unknown }[]) {
    if (op !== 'replace') throw new Error(`${op} is not understood here: teach it`);
    const keys = path.split('/').slice(1);
    const last = keys.pop() ?? '';
    for (const object of fitting) {
      // eslint-disable-next-line @typescript-eslint/no-explicit-any
      const parent = keys.reduce<any>((inner, key) => inner?.[key], object);
      if (parent?.[last] === undefined) throw new Error(`${where}: ${target.kind} has no ${path} to replace`);
      parent[last] = value;
    }
  }
}

/** Generated names end with a hash of what they hold, wherever they are said. */
function withHashes(objects: KubernetesObject[]): KubernetesObject[] {
  for (const { metadata, data } of objects.filter(({ kind }) => kind === 'ConfigMap')) {
    const plain = metadata.name;
    metadata.name = `${plain}-${createHash('sha256').update(JSON.stringify(data)).digest('hex').slice(0, 10)}`;
    for (const container of objects.flatMap(containersOf) as { envFrom?: { configMapRef?: { name: string } }[] }[])
      for (const { configMapRef } of container.envFrom ?? [])
        if (configMapRef?.name === plain) configMapRef.name = metadata.name;
  }
  return objects;
}
