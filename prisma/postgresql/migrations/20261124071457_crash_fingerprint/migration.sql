-- AlterTable
ALTER TABLE "Coredump" ADD COLUMN     "fingerprint" TEXT;

-- CreateIndex
CREATE INDEX "Coredump_fingerprint_id_idx" ON "Coredump"("fingerprint", "id");
