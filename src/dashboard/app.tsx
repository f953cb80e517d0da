import { type ReactNode, Suspense, useEffect, useState } from 'react';
import { Provider } from 'urql';
import { Route, Router, Switch } from 'wouter';
import { createApi } from './api/client';
import { LiveProvider } from './api/live';
import { BASE_PATH } from './base-path';
import { ErrorBoundary, PageBoundary } from './error-page';
import { Gate } from './gate';
import { lazyPage, loadSoon, soonPage } from './lazy-page';
import { DumpsPage } from './pages/dumps/dumps-page';
import { GroupsPage } from './pages/groups/groups-page';
import { NotFoundPage } from './pages/not-found-page';
import { OverviewPage } from './pages/overview/overview-page';
import { idInAddress } from './parts/id-in-address';
import { Loading } from './parts/notices';
import { ToastProvider } from './parts/toasts';
import { AdminsPage } from './session/role';
import { Shell } from './shell/shell';

// Most visits go on to these, so they are loaded as soon as the first view is there.
const DevicePage = soonPage(async () => (await import('./pages/device/device-page')).DevicePage);
const DevicesPage = soonPage(async () => (await import('./pages/devices/devices-page')).DevicesPage);
const DumpPage = soonPage(async () => (await import('./pages/dump/dump-page')).DumpPage);
const GroupPage = soonPage(async () => (await import('./pages/group/group-page')).GroupPage);
const FirmwarePage = soonPage(async () => (await import('./pages/firmware/firmware-page')).FirmwarePage);
const SearchPage = soonPage(async () => (await import('./pages/search/search-page')).SearchPage);
// Only admins use these pages, so they are not part of the initial code.
const AlertsPage = lazyPage(async () => (await import('./pages/alerts/alerts-page')).AlertsPage);
const TagsPage = lazyPage(async () => (await import('./pages/tags/tags-page')).TagsPage);
const DecodePage = lazyPage(async () => (await import('./pages/decode/decode-page')).DecodePage);
const AuditPage = lazyPage(async () => (await import('./pages/audit/audit-page')).AuditPage);
const AlertPage = lazyPage(async () => (await import('./pages/alert/alert-page')).AlertPage);
// Used when builds are uploaded and settings are made.
const ModelPage = lazyPage(async () => (await import('./pages/model/model-page')).ModelPage);
// Read when a version comes out.
const ReleasePage = lazyPage(async () => (await import('./pages/release/release-page')).ReleasePage);
// Opened by people who have a share link.
const SharedPage = lazyPage(async () => (await import('./pages/shared/shared-page')).SharedPage);
// Opened while a fleet joins, seldom afterwards.
const EnrolmentPage = lazyPage(async () => (await import('./pages/enrolment/enrolment-page')).EnrolmentPage);

/** The page: sign-in first, then one connection to the server, one frame, and one page per address. */
export function App() {
  return (
    <Router base={BASE_PATH}>
      <ErrorBoundary>
        <Switch>
          {/* For people without an account: before the sign-in. */}
          <Route path="/shared">
            <Suspense fallback={<Loading />}>
              <SharedPage />
            </Suspense>
          </Route>
          <Route>
            <Gate>{(isSignedIn) => <Fleet isSignedIn={isSignedIn} />}</Gate>
          </Route>
        </Switch>
      </ErrorBoundary>
    </Router>
  );
}

/** The page of one session. Each session starts with an empty cache and its own socket. */
function Fleet({ isSignedIn }: { isSignedIn: boolean }) {
  const [api] = useState(createApi);
  useEffect(() => () => api.close(), [api]);
  useEffect(loadSoon, []);
  return (
    <Provider value={api.client}>
      <LiveProvider connection={api.connection}>
        <ToastProvider>
          <Shell isSignedIn={isSignedIn}>
            <PageBoundary>
              <Suspense fallback={<Loading />}>
                <Switch>
                  <Route path="/" component={OverviewPage} />
                  <Route path="/groups" component={GroupsPage} />
                  <Route path="/tags">
                    <TagsPage />
                  </Route>
                  <Route path="/groups/:id">
                    {withId('CrashGroup', (id) => (
                      <GroupPage key={id} id={id} />
                    ))}
                  </Route>
                  <Route path="/dumps" component={DumpsPage} />
                  <Route path="/dumps/:id">
                    {withId('Coredump', (id) => (
                      <DumpPage key={id} id={id} />
                    ))}
                  </Route>
                  <Route path="/decode">
                    <DecodePage />
                  </Route>
                  <Route path="/search" component={SearchPage} />
                  <Route path="/devices" component={DevicesPage} />
                  <Route path="/devices/:key">{({ key }) => <DevicePage key={key} deviceKey={key} />}</Route>
                  <Route path="/enrolment">
                    <EnrolmentPage />
                  </Route>
                  <Route path="/firmware" component={FirmwarePage} />
                  <Route path="/firmware/:code">{({ code }) => <ModelPage key={code} code={code} />}</Route>
                  <Route path="/release/:model/:version">
                    {({ model, version }) => (
                      <ReleasePage key={`${model} ${version}`} model={model} version={version} />
                    )}
                  </Route>
                  <Route path="/alerts">{admins(<AlertsPage />)}</Route>
                  <Route path="/alerts/:id">
                    {withId('AlertRule', (id) => admins(<AlertPage key={id} id={id} />))}
                  </Route>
                  <Route path="/audit">{admins(<AuditPage />)}</Route>
                  <Route component={NotFoundPage} />
                </Switch>
              </Suspense>
            </PageBoundary>
          </Shell>
        </ToastProvider>
      </LiveProvider>
    </Provider>
  );
}

function withId(noun: Parameters<typeof idInAddress>[1], page: (id: string) => ReactNode) {
  return ({ id: part }: { id: string }) => {
    const id = idInAddress(part, noun);
    return id === null ? <NotFoundPage /> : page(id);
  };
}

function admins(page: ReactNode) {
  return (
    <AdminsPage>
      <Suspense fallback={<Loading />}>{page}</Suspense>
    </AdminsPage>
  );
}
