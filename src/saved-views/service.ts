import type { Audit, AuditNote } from '../audit/service.js';
import { identityOf, type Person } from '../auth/principal.js';
import { conflictWhenTaken } from '../devices/names.js';
import { conflict, DomainError, notFound } from '../errors.js';
import type { Clock } from '../platform/clock.js';
import type { Prisma } from '../platform/database/client.js';
import DataLoader from '../platform/database/data-loader.js';
import type { Db } from '../platform/database/types.js';
import { requireListAddress } from './address.js';
import { requireViewName } from './name.js';

/** A list with its filters that a person named, for everybody. */
export type SavedViewRow = Prisma.SavedViewGetPayload<object>;

/** So many fit in a menu; the first of them is enough for a fleet. */
export const MOST_VIEWS = 200;

export type SavedViewQueries = ReturnType<typeof createSavedViewQueries>;
export type SavedViewService = ReturnType<typeof createSavedViews>;

export function createSavedViewQueries(db: Db) {
  return {
    /** By name. */
    list: (): Promise<SavedViewRow[]> =>
      db.savedView.findMany({ orderBy: { name: 'asc' }, take: MOST_VIEWS }),
  };
}

export function createSavedViewLoaders(db: Db) {
  return {
    byId: new DataLoader<number, SavedViewRow | null>(async (ids) => {
      const rows = await db.savedView.findMany({ where: { id: { in: [...ids] } } });
      return ids.map((id) => rows.find((row) => row.id === id) ?? null);
    }),
  };
}

export function createSavedViews({ db, clock, audit }: SavedViewDeps) {
  return {
    ...createSavedViewQueries(db),

    /**
     * Saves a list under a name. A person's own view of that name is replaced.
     *
     * @throws DomainError BAD_USER_INPUT, CONFLICT (the name is another person's view, or there are too many)
     */
    save(person: Person, { name, address }: { name: string; address: string }): Promise<SavedViewRow> {
      requireViewName(name);
      requireListAddress(address);
      return audit.change(async (tx, note) => {
        // A write first: it waits for others that save under this name, so that what is read next stays true.
        const data = { address, createdAt: clock.now() };
        const createdById = identityOf(person);
        const createdBy = person.name;
        const [own] = await tx.savedView.updateManyAndReturn({ where: { name, createdById }, data });
        const view = own ?? (await create());
        await note({ ...onView('saveView', view), detail: address });
        return view;

        async function create(): Promise<SavedViewRow> {
          const taken = `Somebody else has saved a view "${name}": choose another name.`;
          if ((await tx.savedView.count({ where: { name } })) > 0) throw conflict(taken, { field: 'name' });
          if ((await tx.savedView.count()) >= MOST_VIEWS)
            throw conflict(`There are ${MOST_VIEWS} saved views: delete some of them first.`, {
              field: 'name',
            });
          return tx.savedView
            .create({ data: { name, ...data, createdBy, createdById } })
            .catch(conflictWhenTaken('name', taken));
        }
      });
    },

    /** A person's own view; an admin deletes any. @throws DomainError NOT_FOUND, FORBIDDEN */
    delete(person: Person, id: number): Promise<SavedViewRow> {
      return audit.change(async (tx, note) => {
        const view = await tx.savedView.findUnique({ where: { id } });
        if (view === null) throw notFound('saved view', id, { field: 'id' });
        if (person.kind !== 'admin' && !isOwn(person, view))
          throw new DomainError('FORBIDDEN', 'Only an admin may delete another person’s view.', {
            field: 'id',
          });
        await tx.savedView.deleteMany({ where: { id } });
        await note(onView('deleteSavedView', view));
        return view;
      });
    },
  };
}

interface SavedViewDeps {
  db: Db;
  clock: Pick<Clock, 'now'>;
  audit: Pick<Audit, 'change'>;
}

export function isOwn(person: Person, { createdById }: SavedViewRow): boolean {
  return createdById === identityOf(person);
}

function onView(action: string, { id, name }: SavedViewRow): AuditNote {
  return { action, targetType: 'SavedView', targetId: id, target: name };
}
