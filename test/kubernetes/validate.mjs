// Reads a list of Kubernetes objects as JSON and prints a list of what is wrong with each (null: nothing), by the typed model of its
// kind: its validator finds wrong values, TypeScript finds fields that the type does not have. A program of its own, because the
// models are ES modules, which Jest cannot import.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';

const PACKAGES = {
  'gateway.networking.k8s.io': '@kubernetes-models/gateway-api',
  'external-secrets.io': '@kubernetes-models/external-secrets',
  'cert-manager.io': '@kubernetes-models/cert-manager',
};

/** Models of v1 of External Secrets want Node 22; the fields that we use are the same in v1beta1. */
const asModelled = (object) =>
  object.apiVersion === 'external-secrets.io/v1' ? { ...object, apiVersion: 'external-secrets.io/v1beta1' } : object;

const moduleOf = ({ apiVersion, kind }) =>
  `${PACKAGES[apiVersion.split('/')[0]] ?? 'kubernetes-models'}/${apiVersion}/${kind}`;

async function invalid(object) {
  try {
    const { [object.kind]: Model } = await import(moduleOf(object));
    new Model(object).validate();
    return null;
  } catch (error) {
    return error.message;
  }
}

/** The first complaint of the compiler about each object, written as a literal of its kind's interface. */
function unknownFields(objects) {
  const file = join(import.meta.dirname, 'objects.ts');
  const lines = objects.map(
    (object, i) =>
      `import type { I${object.kind} as T${i} } from '${moduleOf(object)}'; export const o${i}: T${i} = ${JSON.stringify(object)};`,
  );
  const options = {
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    target: ts.ScriptTarget.ES2023,
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    types: [],
  };
  const host = ts.createCompilerHost(options);
  const { readFile, fileExists, getSourceFile } = host;
  host.fileExists = (name) => name === file || fileExists(name);
  host.readFile = (name) => (name === file ? lines.join('\n') : readFile(name));
  host.getSourceFile = (name, ...rest) =>
    name === file ? ts.createSourceFile(name, lines.join('\n'), options.target) : getSourceFile(name, ...rest);
  const found = objects.map(() => null);
  for (const { file: source, start, messageText } of ts.getPreEmitDiagnostics(
    ts.createProgram([file], options, host),
  )) {
    const line = source?.getLineAndCharacterOfPosition(start).line ?? 0;
    found[line] ??= ts.flattenDiagnosticMessageText(messageText, ' ').slice(0, 300);
  }
  return found;
}

const objects = JSON.parse(readFileSync(0, 'utf8')).map(asModelled);
const unknown = unknownFields(objects);
const faults = await Promise.all(objects.map(async (object, i) => (await invalid(object)) ?? unknown[i]));
const named = faults.map((fault, i) => fault && `${objects[i].kind} ${objects[i].metadata.name}: ${fault}`);
console.log(JSON.stringify(named));
