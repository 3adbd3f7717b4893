import { Timestamp } from 'bson';
import { Feed } from './feed';

const filled = (feed: Feed, count: number): Feed => {
  for (let i = 1; i <= count; i += 1)
    feed.add({ seq: 0, time: new Timestamp({ t: i, i: 1 }), at: 0, kind: 'insert', db: 'd', coll: 'c', uuid: undefined, before: undefined, after: { _id: i }, describe: undefined, origin: undefined, to: undefined, details: undefined, images: false, bytes: 100 }); // prettier-ignore
  return feed;
};

it('goes back a little as long as nobody watches it', () => {
  const feed = filled(new Feed(new Timestamp({ t: 0, i: 1 })), 1000);
  expect(feed.after(1000 - 200)).toMatchObject({ seq: 801 });
  expect(feed.after(500)).toBe('forgotten');
  expect(feed.forgotten.getHighBits()).toBeGreaterThanOrEqual(500);
});

it('goes back ten thousand entries from the time when somebody has watched it', () => {
  const feed = filled(new Feed(new Timestamp({ t: 0, i: 1 })), 1000);
  feed.watch();
  filled(feed, 30_000);
  expect(feed.after(31_000 - 10_000)).toMatchObject({ seq: 21_001 });
  expect(feed.after(10_000)).toBe('forgotten');
});
