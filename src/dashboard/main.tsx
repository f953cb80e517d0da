import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { App } from './app';
import './styles/tokens.css';
import './styles/base.css';
import './styles/shell.css';
import './styles/cards.css';
import './styles/lists.css';
import './styles/charts.css';
import './styles/group.css';
import './styles/group-activity.css';
import './styles/enrolment.css';
import './styles/search.css';
import './styles/list-tools.css';
import './styles/notices.css';
import './styles/controls.css';
import './styles/dialogs.css';
import './styles/narrow.css';
import './styles/dump.css';
import './styles/dump-details.css';
import './styles/links.css';
import './styles/crash.css';
import './styles/session.css';
import './styles/tags.css';
import './styles/timeline.css';
import './styles/own-code.css';
import './styles/release.css';
import './styles/alerts.css';

const root = document.getElementById('page');
if (root === null) throw new Error('index.html has no #page');
createRoot(root).render(
  <StrictMode>
    <App />
  </StrictMode>,
);
