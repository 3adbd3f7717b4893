import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

/**
 * The Node that the image is based on, from the npm registry; where it cannot be had, this process's own, and a line says so.
 * @returns the path of the program
 */
export function imageNode(dockerfile: string, folder: string): string {
  const [, version = ''] = /^FROM node:([\d.]+)/m.exec(dockerfile) ?? [];
  const name = `node-${process.platform}-${process.arch}`;
  mkdirSync(folder, { recursive: true });
  try {
    execFileSync('npm', ['install', '--silent', '--no-save', '--prefix', folder, `${name}@${version}`], {
      cwd: folder,
    });
    return join(folder, 'node_modules', name, 'bin/node');
  } catch {
    process.stderr.write(`No ${name}@${version} here: the image is tried on ${process.version}.\n`);
    return process.execPath;
  }
}
