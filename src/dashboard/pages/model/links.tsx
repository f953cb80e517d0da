import { useState } from 'react';
import type { ModelOnPageFragment } from '../../generated/graphql';
import { Fact } from '../../parts/fact';
import { ForAdmins } from '../../session/role';
import { LinksDialog } from './links-dialog';

/** Where a model's sources, tickets and devices are found, outside of Coredock. */
export function ModelLinks({ model }: { model: ModelOnPageFragment }) {
  const [isOpen, setOpen] = useState(false);
  const { sourceUrl, sourcePrefixes, compareUrl, ticketUrl, deviceUrl } = model.links;
  return (
    <section className="card" aria-labelledby="links">
      <header className="card-head">
        <h2 id="links">Links</h2>
        <ForAdmins>
          <button
            type="button"
            className="quiet-button"
            aria-label="Change links"
            onClick={() => setOpen(true)}
          >
            Change
          </button>
        </ForAdmins>
      </header>
      <dl className="facts">
        <Fact name="Source line">
          <Template text={sourceUrl} />
        </Fact>
        {sourcePrefixes.length > 0 && (
          <Fact name="Without">
            {sourcePrefixes.map((prefix) => (
              <div key={prefix} className="mono link-template">
                {prefix}
              </div>
            ))}
          </Fact>
        )}
        <Fact name="Comparison">
          <Template text={compareUrl} />
        </Fact>
        <Fact name="New ticket">
          <Template text={ticketUrl} />
        </Fact>
        <Fact name="Device">
          <Template text={deviceUrl} />
        </Fact>
      </dl>
      <LinksDialog model={model} isOpen={isOpen} onClose={() => setOpen(false)} />
    </section>
  );
}

function Template({ text }: { text: string | null | undefined }) {
  return text == null ? (
    <span className="count">none</span>
  ) : (
    <span className="mono link-template">{text}</span>
  );
}
