import type { ModelOnPageFragment } from '../../generated/graphql';

export type Templates = ModelOnPageFragment['links'];

/** Addresses of a service, for the repository `acme/fw` on its public host. */
interface Preset {
  name: string;
  templates: Partial<Templates>;
}

export const SOURCES: readonly Preset[] = [
  {
    name: 'GitHub',
    templates: {
      sourceUrl: 'https://github.com/acme/fw/blob/{revision}/{path}#L{line}',
      compareUrl: 'https://github.com/acme/fw/compare/{from}...{to}',
    },
  },
  {
    name: 'GitLab',
    templates: {
      sourceUrl: 'https://gitlab.com/acme/fw/-/blob/{revision}/{path}#L{line}',
      compareUrl: 'https://gitlab.com/acme/fw/-/compare/{from}...{to}',
    },
  },
  {
    name: 'Bitbucket',
    templates: {
      sourceUrl: 'https://bitbucket.org/acme/fw/src/{revision}/{path}#lines-{line}',
      compareUrl: 'https://bitbucket.org/acme/fw/branches/compare/{to}%0D{from}',
    },
  },
  {
    name: 'Gitea, Forgejo',
    templates: {
      sourceUrl: 'https://codeberg.org/acme/fw/src/commit/{revision}/{path}#L{line}',
      compareUrl: 'https://codeberg.org/acme/fw/compare/{from}...{to}',
    },
  },
];

export const TICKETS: readonly Preset[] = [
  {
    name: 'GitHub',
    templates: { ticketUrl: 'https://github.com/acme/fw/issues/new?title={title}&body={body}' },
  },
  {
    name: 'GitLab',
    templates: {
      ticketUrl: 'https://gitlab.com/acme/fw/-/issues/new?issue[title]={title}&issue[description]={body}',
    },
  },
  {
    name: 'Jira',
    templates: {
      ticketUrl:
        'https://acme.atlassian.net/secure/CreateIssueDetails!init.jspa?pid=10000&issuetype=10001&summary={title}&description={body}',
    },
  },
  {
    name: 'Linear',
    templates: { ticketUrl: 'https://linear.app/acme/new?title={title}&description={body}' },
  },
];

const EXAMPLE: Readonly<Record<string, string>> = {
  revision: '9f3c2a1',
  path: 'main/app.c',
  line: '42',
  from: '4b1d0c7',
  to: '9f3c2a1',
  title: 'abort in app_main',
  body: '3 crashes on 2 devices',
  key: 'k3x9a1b2',
  serial: 'SN-0042',
  name: 'Kitchen',
};

/** An address as the server would make it of the template; what it refuses stays as it is. */
export function exampleOf(template: string, modelCode: string): string {
  return template.replace(/\{(\w+)\}/g, (placeholder, name: string) => {
    const value = name === 'model' ? modelCode : EXAMPLE[name];
    if (value === undefined) return placeholder;
    return encodeURIComponent(value).replaceAll('%2F', '/');
  });
}
