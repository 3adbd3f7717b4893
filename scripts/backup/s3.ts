import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import {
  DeleteObjectsCommand,
  GetObjectCommand,
  NoSuchKey,
  paginateListObjectsV2,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { checksumIn, checksumLine, hashed, isBackup, type Place } from './place';

/**
 * Backups in S3 or what speaks like it. Credentials and region come the way the AWS SDK looks for them (a task's role, `AWS_*`);
 * `AWS_ENDPOINT_URL_S3` names another endpoint, such as MinIO.
 */
export function bucket(address: string): Place {
  const { hostname: Bucket, pathname } = new URL(address);
  const prefix = pathname.replace(/^\/+|\/+$/g, '');
  const keyOf = (name: string) => (prefix === '' ? name : `${prefix}/${name}`);
  // endpoints other than Amazon's know buckets by path, and not the newest checksums
  const elsewhere = Boolean(process.env['AWS_ENDPOINT_URL_S3'] ?? process.env['AWS_ENDPOINT_URL']);
  const client = new S3Client({
    forcePathStyle: elsewhere,
    requestChecksumCalculation: elsewhere ? 'WHEN_REQUIRED' : 'WHEN_SUPPORTED',
  });

  const bodyOf = async (name: string) => {
    const { Body } = await client.send(new GetObjectCommand({ Bucket, Key: keyOf(name) }));
    return Body as Readable;
  };

  return {
    async write(name, bytes) {
      const hash = createHash('sha256');
      let size = 0;
      const Body = Readable.from(
        hashed(bytes, hash, (count) => (size += count)),
        { objectMode: false },
      );
      // parts of 16 MB: at most 10,000 of them make 160 GB
      await new Upload({ client, params: { Bucket, Key: keyOf(name), Body }, partSize: 16 * 2 ** 20 }).done();
      const beside = { Bucket, Key: keyOf(`${name}.sha256`), Body: checksumLine(hash.digest('hex'), name) };
      await client.send(new PutObjectCommand(beside));
      return { where: `s3://${Bucket}/${keyOf(name)}`, size };
    },
    async list() {
      const names: string[] = [];
      const Prefix = prefix === '' ? '' : `${prefix}/`;
      for await (const page of paginateListObjectsV2({ client }, { Bucket, Prefix, Delimiter: '/' }))
        names.push(...(page.Contents ?? []).map(({ Key = '' }) => Key.slice(Prefix.length)));
      return names.filter(isBackup).sort();
    },
    read: bodyOf,
    async checksum(name) {
      try {
        const chunks: Buffer[] = [];
        for await (const chunk of await bodyOf(`${name}.sha256`)) chunks.push(chunk as Buffer);
        return checksumIn(Buffer.concat(chunks).toString('utf8'));
      } catch (error) {
        if (error instanceof NoSuchKey) return undefined;
        throw error;
      }
    },
    async remove(name) {
      const Objects = [name, `${name}.sha256`].map((each) => ({ Key: keyOf(each) }));
      await client.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects } }));
    },
    close: () => client.destroy(),
  };
}
