import type { SiteLine } from '@ocs/protocol/wire';
import { expect, it, vi } from 'vitest';
import { api } from '../../src/lib/api/console-api';
import { sites } from '../../src/lib/state/sites.svelte';

it('a list from before a deletion that arrives after it does not bring the site back', async () => {
  const shop = { id: 7, name: 'Shop', paused: false, unread: 0 } as SiteLine;
  let answer = (_: { sites: SiteLine[] }) => {};
  vi.spyOn(api, 'mySites').mockImplementation(() => new Promise((resolve) => (answer = resolve)));
  vi.spyOn(api, 'deleteSite').mockResolvedValue({});
  const loading = sites.load();
  await sites.remove(shop.id);
  answer({ sites: [shop] });
  await loading;
  expect(sites.list).toEqual([]);
});
