-- CreateIndex
CREATE INDEX "Coredump_firmwareVersion_id_idx" ON "Coredump"("firmwareVersion", "id");

-- CreateIndex
CREATE INDEX "Coredump_parseErrorKind_id_idx" ON "Coredump"("parseErrorKind", "id");
