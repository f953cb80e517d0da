import { useState } from 'react';
import { Provider } from 'urql';
import { Route, Switch } from 'wouter';
import { createApi } from './api/client';
import { LiveProvider } from './api/live';
import { DumpPage } from './pages/dump/dump-page';
import { DumpsPage } from './pages/dumps/dumps-page';
import { NotFoundPage } from './pages/not-found-page';
import { OverviewPage } from './pages/overview/overview-page';
import { Shell } from './shell/shell';
import { ToastProvider } from './shell/toasts';

/** Everything that the page is: one connection to the server, one frame, and a page for each address. */
export function App() {
  const [api] = useState(createApi);
  return (
    <Provider value={api.client}>
      <LiveProvider connection={api.connection}>
        <ToastProvider>
          <Shell>
            <Switch>
              <Route path="/" component={OverviewPage} />
              <Route path="/dumps" component={DumpsPage} />
              <Route path="/dumps/:id">{({ id }) => <DumpPage key={id} id={id} />}</Route>
              <Route component={NotFoundPage} />
            </Switch>
          </Shell>
        </ToastProvider>
      </LiveProvider>
    </Provider>
  );
}
