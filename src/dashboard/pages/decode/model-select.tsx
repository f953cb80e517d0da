import { useId } from 'react';
import { useQuery } from 'urql';
import { graphql } from '../../generated';

const ModelsOfDecode = graphql(`
  query ModelsOfDecode { deviceModels(first: 200) { nodes { id code name } } }
`);

/** A model of the server. @param otherwise names the choice of none */
export function ModelSelect({
  value,
  onChoose,
  otherwise,
  isRequired = false,
}: {
  value: string;
  onChoose: (code: string) => void;
  otherwise: string;
  isRequired?: boolean;
}) {
  const id = useId();
  const [{ data }] = useQuery({ query: ModelsOfDecode });
  return (
    <div className="labelled field">
      <label htmlFor={id}>Model</label>
      <select id={id} required={isRequired} value={value} onChange={({ target }) => onChoose(target.value)}>
        <option value="">{otherwise}</option>
        {data?.deviceModels?.nodes.map(({ code, name }) => (
          <option key={code} value={code}>
            {name} ({code})
          </option>
        ))}
      </select>
    </div>
  );
}
