// The library.
import { Platform } from 'partnerkit';

export async function ours(file) {
  const platform = await Platform.open(`sqlite:${file}`);
  const agency = await platform.ensureAgency('northwind');
  const places = new Map();
  return {
    name: 'PartnerKit',
    async fill(forms) {
      const ids = [];
      for (let i = 0; i < forms.length; i += 1_000) {
        const made = await agency.createResellers(forms.slice(i, i + 1_000));
        // Some labels are reserved.
        for (const reseller of made) if (!(reseller instanceof Error)) ids.push(reseller.id);
      }
      return ids;
    },
    create: (form) => agency.createReseller(form),
    get: (id) => agency.reseller(id),
    list: async () => (await agency.page()).resellers,
    /** The cursor before a place, walked to once. */
    async deep(place) {
      let after = places.get(place);
      if (after === undefined) {
        let page = await agency.page({ sort: 'name', limit: 200 });
        while (page.next && page.resellers.at(-1).name < place) {
          after = page.next;
          page = await agency.page({ sort: 'name', limit: 200, after });
        }
        places.set(place, after);
      }
      return (await agency.page({ sort: 'name', after })).resellers;
    },
    search: async (text) => (await agency.page({ text })).resellers,
    ingest: (events) => agency.recordUsage(events),
    overview: () => agency.overview(),
    close: () => platform.close(),
  };
}
