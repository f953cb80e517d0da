import { graphql } from '../generated';

export const ApproveDevice = graphql(`
  mutation ApproveDevice($id: ID!) { approveDevice(input: { id: $id }) { device { id approval } } }
`);

export const RejectDevice = graphql(`
  mutation RejectDevice($id: ID!) { rejectDevice(input: { id: $id }) { device { id approval } } }
`);
