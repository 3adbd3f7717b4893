import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync } from 'node:fs';
import { basename, dirname, isAbsolute, join } from 'node:path';
import { buildContext } from './build-context';
import { execForm, pairs, parseDockerfile, type Instruction } from './dockerfile';

/**
 * Does what a Dockerfile says, without a container engine: each stage is a folder that stands for the root of its file
 * system, RUN runs there, COPY takes from the build context or from another stage's folder, and nothing else.
 * Programs are those of this machine, so steps of the system's package manager are left out, and told.
 */
export interface DryImage {
  root: string;
  workdir: string;
  env: Record<string, string>;
  user: string;
  entrypoint: string[];
  command: string[];
  healthcheck: string[];
  labels: Record<string, string>;
  /** Packages of the system that the image would install. */
  systemPackages: string[];
}

export interface DryBuildOptions {
  project: string;
  /** An empty folder to build in. */
  into: string;
  /** For the steps: where node and npm are found. */
  path: string;
  buildArgs?: Record<string, string>;
}

export function dryBuild(dockerfile: string, { project, into, path, buildArgs = {} }: DryBuildOptions): DryImage {
  const context = join(into, 'context');
  seedCache(join(into, 'home'));
  for (const file of buildContext(project)) cpSync(join(project, file), join(context, file));
  const images = new Map<string, DryImage>();
  const args: Record<string, string> = {};
  let last: DryImage | undefined;
  parseDockerfile(dockerfile).forEach(({ name, instructions }, i) => {
    last = emptyImage(join(into, name || `stage-${i}`));
    images.set(name, last);
    for (const instruction of instructions) follow(instruction, last);
  });
  if (!last) throw new Error('there is no stage');
  return last;

  function follow({ keyword, flags, rest }: Instruction, image: DryImage): void {
    switch (keyword) {
      case 'WORKDIR':
        image.workdir = rest;
        return void mkdirSync(join(image.root, rest), { recursive: true });
      case 'COPY': {
        const from = flags['from'] === undefined ? context : images.get(flags['from'])?.root;
        if (from === undefined) throw new Error(`no stage is called ${flags['from']}`);
        return copy(from, rest.split(/\s+/), image);
      }
      case 'RUN':
        return run(rest, image, { path, project });
      case 'ARG': {
        const [arg = '', value = ''] = rest.split('=');
        return void (args[arg] = buildArgs[arg] ?? value);
      }
      case 'ENV':
        return void Object.assign(image.env, pairs(rest));
      case 'LABEL':
        return void Object.assign(
          image.labels,
          pairs(rest.replace(/\$\{(\w+)\}/g, (_all, arg: string) => args[arg] ?? '')),
        );
      case 'USER':
        return void (image.user = rest);
      case 'ENTRYPOINT':
        return void (image.entrypoint = execForm(rest));
      case 'CMD':
        return void (image.command = execForm(rest));
      case 'HEALTHCHECK':
        return void (image.healthcheck = execForm(rest.replace(/^CMD\s+/, '')));
      case 'EXPOSE':
        return;
      default:
        throw new Error(`${keyword} is not understood here: teach it`);
    }
  }
}

function emptyImage(root: string): DryImage {
  mkdirSync(root, { recursive: true });
  const nothing = { entrypoint: [], command: [], healthcheck: [], systemPackages: [] };
  return { root, workdir: '/', env: {}, user: 'root', labels: {}, ...nothing };
}

function copy(from: string, sourcesAndTarget: string[], { root, workdir }: DryImage): void {
  const sources = sourcesAndTarget.slice(0, -1);
  const target = sourcesAndTarget.at(-1) ?? '';
  const place = join(root, isAbsolute(target) ? '' : workdir, target);
  // several files, or a folder named with a slash: into it, under their names
  const into = sources.length > 1 || target.endsWith('/') || target === '.';
  for (const source of sources) {
    const to = into ? join(place, basename(source)) : place;
    mkdirSync(dirname(to), { recursive: true });
    cpSync(join(from, source), to, { recursive: true, verbatimSymlinks: true });
  }
}

function run(command: string, image: DryImage, { path, project }: Pick<DryBuildOptions, 'path' | 'project'>): void {
  if (command.startsWith('apt-get ')) {
    const [, packages = ''] = /install (?:-\S+ )*([\w -]+?)(?: &&|$)/.exec(command) ?? [];
    return void image.systemPackages.push(...packages.split(' '));
  }
  if (command === 'npm ci --ignore-scripts' && existsSync(join(project, 'node_modules/.package-lock.json'))) {
    // `npm ci` has just put these here by the same lock: linked, not fetched a second time
    const [from, to] = [join(project, 'node_modules'), join(image.root, image.workdir)];
    return void execFileSync('sh', ['-c', 'cp -al "$0" "$1" 2> /dev/null || cp -a "$0" "$1"', from, to]);
  }
  execFileSync('sh', ['-c', command], {
    cwd: join(image.root, image.workdir),
    env: { HOME: join(dirname(image.root), 'home'), ...network(), ...image.env, PATH: path },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

/** How this machine reaches its registry; everything else, npm's cache above all, is the step's own. */
function network(): Record<string, string | undefined> {
  const ask = (key: string) => execFileSync('npm', ['config', 'get', key], { encoding: 'utf8' }).trim();
  const names = Object.keys(process.env).filter((name) =>
    /^(https?_proxy|no_proxy|\w+_CA_CERTS|SSL_CERT_\w+)$/i.test(name),
  );
  return {
    ...Object.fromEntries(names.map((name) => [name, process.env[name]])),
    npm_config_registry: ask('registry'),
    npm_config_userconfig: ask('userconfig'),
    npm_config_prefer_offline: 'true',
  };
}

/** What npm has fetched for this checkout before, by hard links: steps may clean their cache without cleaning ours. */
function seedCache(home: string): void {
  const ours = execFileSync('npm', ['config', 'get', 'cache'], { encoding: 'utf8' }).trim();
  mkdirSync(join(home, '.npm'), { recursive: true });
  try {
    execFileSync('cp', ['-al', join(ours, '_cacache'), join(home, '.npm/_cacache')], { stdio: 'ignore' });
  } catch {
    // no cache, or one on another file system: everything is fetched
  }
}
